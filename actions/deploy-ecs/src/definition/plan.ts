import { canonicalText, digestOf } from "./canonical.ts";
import { differences } from "./diff.ts";
import { imageWarnings } from "./images.ts";
import type { Definition, DefinitionPlan, DefinitionSource, Edits, Revision } from "./model.ts";
import { render } from "./render.ts";

/** What is known when the task definition is planned. */
export interface DefinitionFacts {
  readonly source: DefinitionSource;
  readonly edits: Edits;
  /** What `source` names, when that is a family or a revision. */
  readonly described: Revision | undefined;
  /** What the service runs; undefined without a service. */
  readonly running: Revision | undefined;
  /** Names of the containers behind the service's load balancers. */
  readonly balanced: readonly string[];
}

/** Decides what is registered, if anything. Pure. */
export function planDefinition(facts: DefinitionFacts): DefinitionPlan {
  const { source, running } = facts;
  const base = source.kind === "running" ? running : facts.described;
  const start = source.kind === "file" ? source.definition : base?.definition;
  if (start === undefined)
    return { kind: "refused", problems: ["there is no task definition to start from"] };
  const rendered = render(start, facts.edits, facts.balanced);
  if (rendered.kind === "refused") return rendered;
  const { definition } = rendered;
  const common = {
    definition,
    digest: digestOf(definition),
    differences: differences((running ?? base)?.definition ?? {}, definition),
    warnings: imageWarnings(definition),
  };
  const same = [source.kind === "file" ? undefined : base, running].find((revision) =>
    isSame(revision, definition),
  );
  if (same === undefined) return { kind: "register", ...common };
  if (same.active || same.arn === running?.arn) return { kind: "use", arn: same.arn, ...common };
  return {
    kind: "refused",
    problems: [`\`task-definition\` is \`${same.arn}\`, which is no longer ACTIVE: ECS does not deploy it`],
  };
}

function isSame(revision: Revision | undefined, definition: Definition): revision is Revision {
  return revision !== undefined && canonicalText(revision.definition) === canonicalText(definition);
}
