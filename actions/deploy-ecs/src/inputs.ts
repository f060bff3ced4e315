import { readRecord } from "../../../lib/github/deployments.ts";
import type { GitHubContext } from "../../../lib/github-context.ts";
import { readHealthCheck } from "../../../lib/health.ts";
import type { InputReader } from "../../../lib/inputs.ts";
import { type RolloutInputs, readRollout } from "../../../lib/rollout/inputs.ts";
import { readCodeDeploy } from "./inputs/codedeploy.ts";
import { readDefinition } from "./inputs/definition.ts";
import { type Inputs, LIFECYCLE_STAGES, type WatchInputs } from "./inputs/model.ts";
import { readPairs } from "./inputs/pairs.ts";
import { readService } from "./inputs/service.ts";
import { readTask } from "./inputs/task.ts";

/** Reads every input of action.yml; all that is wrong ends up in one message. */
export function parseInputs(read: InputReader, github: GitHubContext): Inputs {
  const definition = readDefinition(read, github);
  const inputs: Inputs = {
    service: readService(read),
    ...definition,
    watch: readWatch(read),
    task: readTask(read, definition.shown),
    codeDeploy: readCodeDeploy(read, github),
    schedules: readSchedules(read),
    keepRevisions: read.integer("keep-revisions", 0, { min: 0, max: 10_000 }),
    health: readHealthCheck(read, read.mask),
    rollout: readTimes(read),
    record: readRecord(read),
  };
  readPairs(read, inputs);
  return Object.freeze(inputs);
}

function readWatch(read: InputReader): WatchInputs {
  return {
    wait: read.bool("wait-for-service-stability", true),
    pollIntervalMs: read.duration("poll-interval", "5s", "s", { min: 1000 }),
    failureBudget: read.integer("failure-budget", 3, { min: 1, max: 1000 }),
    until: read.enumeration("wait-until", ["completed", ...LIFECYCLE_STAGES], "completed"),
    onPause: read.enumeration("on-pause", ["fail", "wait", "continue"], "fail"),
    logLines: read.integer("log-lines", 50, { min: 0, max: 10_000 }),
  };
}

/** `wait-for-minutes` is the peer's name for `timeout`. */
function readTimes(read: InputReader): RolloutInputs {
  const rollout = readRollout(read);
  const minutes = read.optionalDuration("wait-for-minutes", "m", { min: 1 });
  if (minutes === undefined) return rollout;
  if (read.given("timeout")) {
    read.problem("`timeout` and `wait-for-minutes` are both given: they mean the same, leave one out");
  }
  return { ...rollout, timeoutMs: minutes };
}

const SCHEDULE = /^(arn:[^\s,]+|[\w.-]+(\/[\w.-]+)?)$/;

function readSchedules(read: InputReader): readonly string[] {
  const names = read.list("schedules", { commas: true });
  for (const name of names) {
    if (!SCHEDULE.test(name)) {
      read.problem(
        `\`schedules\` is \`${name}\`: allowed is the name of a rule or schedule, \`bus/rule\`, \`group/schedule\`, or an ARN`,
      );
    }
  }
  return [...new Set(names)];
}
