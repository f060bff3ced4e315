import { type RecordInputs, readRecord } from "../../../lib/github/deployments.ts";
import type { GitHubContext } from "../../../lib/github-context.ts";
import { type HealthCheck, readHealthCheck } from "../../../lib/health.ts";
import type { InputReader } from "../../../lib/inputs.ts";
import { type RolloutInputs, readRollout } from "../../../lib/rollout/inputs.ts";
import { type Access, readAccess } from "./inputs-access.ts";
import { type ReleaseInputs, readRelease, readService, type ServiceInputs } from "./inputs-release.ts";

/** Everything that a run of the action was asked for. */
export interface Inputs {
  readonly action: "deploy" | "rollback" | "status" | "prune" | "unlock";
  readonly access: Access;
  readonly release: ReleaseInputs;
  readonly service: ServiceInputs;
  readonly health: HealthCheck;
  readonly rollout: RolloutInputs;
  readonly record: RecordInputs | undefined;
  /** How many of so many hosts are switched at a time. */
  readonly batch: (hosts: number) => number;
}

/** Reads every input of action.yml; all that is wrong ends up in one message. */
export function parseInputs(read: InputReader, github: GitHubContext): Inputs {
  const { mask } = read;
  const action = read.enumeration("action", ["deploy", "rollback", "status", "prune", "unlock"], "deploy");
  const inputs = {
    action,
    access: readAccess(read, mask),
    release: readRelease(read, github, action),
    service: readService(read, mask),
    health: readHealthCheck(read, mask, "/"),
    rollout: readRollout(read),
    batch: readStrategy(read),
    record: readRecord(read),
  };
  return Object.freeze(inputs);
}

function readStrategy(read: InputReader): Inputs["batch"] {
  const strategy = read.enumeration("strategy", ["rolling", "all-at-once", "blue-green"], "rolling");
  if (strategy === "blue-green") read.refuse("strategy", strategy, "use `rolling` or `all-at-once`");
  const ports = read.text("blue-green-ports", "8000,8001");
  if (ports !== "8000,8001") read.refuse("blue-green-ports", ports, "leave it out");
  const size = read.text("batch-size", "1");
  const match = /^([1-9]\d*)(%?)$/.exec(size);
  const amount = Number(match?.[1]);
  if (!match || (match[2] === "%" && amount > 100)) {
    read.problem(`\`batch-size\` is \`${size}\`: allowed is a number of at least 1, or a percentage to 100%`);
    return () => 1;
  }
  if (strategy !== "rolling") return (hosts) => hosts;
  return match[2] === "%" ? (hosts) => Math.max(1, Math.floor((hosts * amount) / 100)) : () => amount;
}
