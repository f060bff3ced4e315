import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { FEATURES, type Feature } from "./policies/features.ts";
import { actionsOf, filledIn, type Policy, policyOf } from "./policies/policy.ts";
import { type Story, tell } from "./story.ts";

const FOLDER = resolve(import.meta.dirname, "../../../docs/iam/deploy-ecs");

/** `make policies` sets this: the policies are written from what was called, instead of compared with it. */
const WRITES = process.env["GOCI_WRITE_POLICIES"] === "true";

/** Features that a deployment uses where it may, and does without where it may not. */
const OPTIONAL: readonly (readonly [RegExp, string])[] = [
  [/^ecs:\w+Service(Deployment|Revision)s?$/, "service-deployments"],
  [/^logs:/, "logs"],
  [/^elasticloadbalancing:/, "target-health"],
];

const pathOf = (name: string) => join(FOLDER, `${name}.json`);
const read = (name: string) => JSON.parse(readFileSync(pathOf(name), "utf8")) as Policy;
const deployment = FEATURES.find(({ name }) => name === "deploy");

/** Everything that the runs of a feature call when nothing is denied. */
async function called(runs: readonly Story[]): Promise<string[]> {
  const told = await Promise.all(runs.map(tell));
  return [...new Set(told.flatMap(({ aws }) => [...actionsOf(aws.calls)]))];
}

/** What belongs to the feature alone: not to an optional one, and not to every deployment. */
async function ownActions({ name, runs }: Feature): Promise<string[]> {
  const always = await called(deployment?.runs ?? []);
  const owner = (action: string) =>
    OPTIONAL.find(([pattern]) => pattern.test(action))?.[1] ?? (always.includes(action) ? "deploy" : name);
  return (await called(runs)).filter((action) => owner(action) === name);
}

describe("IAM policies say what is called, no more and no less", () => {
  test.each(FEATURES.map((feature) => [feature.name, feature] as const))("%s", async (name, feature) => {
    const policy = policyOf(await ownActions(feature));
    if (WRITES) writeFileSync(pathOf(name), `${JSON.stringify(policy, null, 2)}\n`);
    expect(existsSync(pathOf(name)) ? read(name) : undefined).toEqual(policy);
  });

  const runs = FEATURES.flatMap((feature) =>
    feature.runs.map(
      (run, nth) => [`${feature.name} ${nth + 1}`, [...feature.with, feature.name], run] as const,
    ),
  );
  test.each(runs)("%s: its policies suffice", async (_name, policies, run) => {
    const arrange: Story["arrange"] = (aws, clock) => {
      if (run.arrange) run.arrange(aws, clock);
      else aws.addService();
      aws.enforce(filledIn(policies.map(read)));
    };
    const told = await tell({ ...run, arrange });
    expect({ outcome: told.outcome, message: told.message }).toMatchObject({ outcome: run.ends });
    expect(told.aws.violations).toEqual([]);
  });
});
