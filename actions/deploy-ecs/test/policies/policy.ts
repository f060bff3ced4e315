import { type Policy as Judged, wantedOf } from "../../../../lib/testing/fake-ecs/policy.ts";
import type { CallRecord } from "../../../../lib/testing/fake-ecs/types.ts";
import { GRANTS } from "./resources.ts";

/** An IAM policy document. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html */
export interface Policy extends Judged {
  readonly Version: "2012-10-17";
}

/** What stands for the capitals of the policies in the stand-in's world. */
const WORLD: Readonly<Record<string, string>> = {
  REGION: "eu-west-1",
  ACCOUNT: "123456789012",
  CLUSTER: "default",
  SERVICE: "app",
  FAMILY: "app",
  TASK_ROLE: "app",
  EXECUTION_ROLE: "execution",
  LOG_GROUP: "/ecs/app",
  APPLICATION: "AppECS-default-app",
  GROUP: "DgpECS-default-app",
  RULE: "nightly",
  SCHEDULE_GROUP: "default",
  SCHEDULE: "weekly",
};

/** The IAM actions that calls need: their own, and those that AWS checks because of what they hold. */
export function actionsOf(calls: readonly CallRecord[]): Set<string> {
  return new Set(calls.flatMap((call) => wantedOf(call).map(({ action }) => action)));
}

/** The policy that grants these actions and nothing else: one statement for each set of resources. */
export function policyOf(actions: Iterable<string>): Policy {
  const statements = new Map<string, string[]>();
  for (const action of [...actions].sort()) {
    const grant = GRANTS[action];
    if (!grant) throw new Error(`${action} is called and resources.ts does not say on what it may be called`);
    const key = JSON.stringify({
      Resource: grant.resources,
      ...(grant.condition ? { Condition: grant.condition } : {}),
    });
    statements.set(key, [...(statements.get(key) ?? []), action]);
  }
  return {
    Version: "2012-10-17",
    Statement: [...statements].map(([key, Action]) => ({ Effect: "Allow", Action, ...JSON.parse(key) })),
  };
}

/** Policies as a user fills them in for the stand-in's world, as one. */
export function filledIn(policies: readonly Policy[]): Judged {
  const text = JSON.stringify({ Statement: policies.flatMap((policy) => policy.Statement) });
  return JSON.parse(text.replace(/\b[A-Z]+(_[A-Z]+)*\b/g, (word) => WORLD[word] ?? word)) as Judged;
}
