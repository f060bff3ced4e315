import { clusterName } from "./ecs/services.ts";
import type { CallRecord, Json } from "./types.ts";

/** One statement of an IAM policy, as far as it is judged here: actions, resources, and the service of a PassRole. */
export interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Json;
}

/** An IAM policy. */
export interface Policy {
  readonly Statement: readonly Statement[];
}

/** An action that a call needs, on one resource. */
export interface Wanted {
  readonly action: string;
  readonly resource: string;
}

/** Whether a policy allows an action on a resource; a Deny wins. */
export function allows(policy: Policy, action: string, resource: string): boolean {
  const fitting = policy.Statement.filter(
    (statement) =>
      [statement.Action].flat().some((pattern) => fits(pattern.toLowerCase(), action.toLowerCase())) &&
      [statement.Resource].flat().some((pattern) => fits(pattern, resource)),
  );
  return fitting.some((one) => one.Effect === "Allow") && !fitting.some((one) => one.Effect === "Deny");
}

/** `*` and `?`, as in IAM. */
function fits(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(text);
}

/** Everything that IAM asks about for a call: its own action, the tags that it sets, and the roles that it hands on. */
export function wantedOf(record: CallRecord): readonly Wanted[] {
  const own = record.resources.map((resource) => ({ action: record.action, resource }));
  return [
    ...own,
    ...tagsOf(record),
    ...revisionOf(record),
    ...rolesOf(record).map((resource) => ({ action: "iam:PassRole", resource })),
  ];
}

/** Who creates something with tags has to be allowed to tag it. */
function tagsOf({ operation, input }: CallRecord): readonly Wanted[] {
  const action = "ecs:TagResource";
  if (((input["tags"] ?? []) as readonly Json[]).length === 0) return [];
  const place = "arn:aws:ecs:eu-west-1:123456789012";
  if (operation === "RegisterTaskDefinition")
    return [{ action, resource: `${place}:task-definition/${String(input["family"])}:new` }];
  if (operation !== "RunTask") return [];
  return [{ action, resource: `${place}:task/${clusterName(input["cluster"])}/new` }];
}

/** CodeDeploy registers the revision that a deployment is created with. */
function revisionOf({ operation, input }: CallRecord): readonly Wanted[] {
  if (operation !== "CreateDeployment" || input["revision"] === undefined) return [];
  const application = `arn:aws:codedeploy:eu-west-1:123456789012:application:${String(input["applicationName"])}`;
  return [{ action: "codedeploy:RegisterApplicationRevision", resource: application }];
}

/** The roles that a call hands to a service. */
function rolesOf({ operation, input }: CallRecord): readonly string[] {
  const found: unknown[] = [];
  if (operation === "RegisterTaskDefinition") found.push(input["taskRoleArn"], input["executionRoleArn"]);
  if (operation === "PutTargets")
    found.push(...(input["Targets"] as readonly Json[]).map((one) => one["RoleArn"]));
  if (operation === "UpdateSchedule") found.push((input["Target"] as Json | undefined)?.["RoleArn"]);
  if (operation === "RunTask") {
    const overrides = (input["overrides"] ?? {}) as Json;
    found.push(overrides["taskRoleArn"], overrides["executionRoleArn"]);
  }
  const arns = found.filter((role): role is string => typeof role === "string");
  return arns.filter((role, index) => arns.indexOf(role) === index);
}
