import type { RunContext } from "../../../../lib/action.ts";
import { Failure } from "../../../../lib/errors.ts";
import type { Inputs } from "../inputs/model.ts";
import type { TagPlan } from "../tags/plan.ts";
import { planTags } from "../tags/plan-tags.ts";
import { labelLines, labelsOf } from "./labels.ts";
import type { Known } from "./repository.ts";

/** What the image will be called. */
export interface Plan {
  readonly tags: TagPlan;
  readonly labels: ReadonlyMap<string, string>;
  /** `ghcr.io/acme/api:1.2.3`, repository by repository. */
  readonly names: readonly string[];
}

/** Plans tags and labels; `registryTags` are those of the repositories, as far as they are known. */
export function makePlan(
  inputs: Inputs,
  known: Known,
  registryTags: readonly string[],
  context: Pick<RunContext, "github" | "env">,
): Plan {
  const tags = planTags(inputs.tags, known.facts, { ...known.names, registryTags });
  const ground = {
    github: context.github,
    serverUrl: (context.env["GITHUB_SERVER_URL"] || "https://github.com").replace(/\/+$/, ""),
    known,
    version: tags.version,
    created: inputs.reproducible ? known.facts.commitTime : known.facts.now,
  };
  const names = inputs.registry.images.flatMap(({ name }) => tags.tags.map(({ tag }) => `${name}:${tag}`));
  return { tags, labels: labelsOf(ground, inputs.labels), names };
}

/** Throws TAG_INVALID when there is something to push and no tag to push it under. */
export function requireTags(plan: Plan, known: Known): void {
  if (plan.names.length > 0) return;
  const { ref, eventName } = known.facts;
  const where = ref === "" ? "no known ref" : `\`${ref}\``;
  throw new Failure(
    `no rule of \`tags\` gives a tag for ${where} and the event \`${eventName || "unknown"}\``,
    {
      code: "TAG_INVALID",
      fix: "add a rule that fits, for example `type=sha`",
      evidence: plan.tags.notices,
    },
  );
}

/** Tells the plan: log, outputs and report. Called again when the registries' tags have changed it. */
export function tellPlan(
  plan: Plan,
  inputs: Inputs,
  { log, draft }: Pick<RunContext, "log" | "draft">,
): void {
  for (const { tag, kind } of plan.tags.tags) log.info(`tag ${tag} (${kind})`);
  for (const message of plan.tags.notices) log.annotate({ level: "notice", title: "docker-push", message });
  const [first] = inputs.registry.images;
  draft.output("tags", plan.names.join("\n"));
  draft.output("labels", labelLines(plan.labels));
  draft.output("version", plan.tags.version);
  draft.output("registry", first?.registry ?? "");
  draft.output("repository", first?.path ?? "");
  draft.output("metadata", JSON.stringify(metadataOf(plan, inputs)));
  draft.set("version", plan.tags.version);
  draft.set("tags", plan.names);
  draft.set("labels", Object.fromEntries(plan.labels));
}

/** As docker/metadata-action gives it in its `json` output. */
export function metadataOf(plan: Plan, inputs: Pick<Inputs, "annotations">) {
  return {
    tags: plan.names,
    labels: Object.fromEntries(plan.labels),
    annotations: inputs.annotations.map(({ level, platform, key, value }) => {
      const place = platform === "" ? level : `${level}[${platform}]`;
      return `${place}:${key}=${value}`;
    }),
  };
}
