import type { AwsCall } from "../../../../lib/aws/call.ts";
import { explained } from "../../../../lib/aws/errors.ts";
import { type CodeDeployApi, codeDeployApi } from "./codedeploy.ts";
import { type EcsApi, ecsApi } from "./ecs.ts";
import { type ElbApi, elbApi } from "./elb.ts";
import { type EventsApi, eventsApi } from "./events.ts";
import { type LogsApi, logsApi } from "./logs.ts";
import { type SchedulerApi, schedulerApi } from "./scheduler.ts";

/** All of AWS that this action speaks to. */
export interface Apis {
  readonly ecs: EcsApi;
  readonly logs: LogsApi;
  readonly elb: ElbApi;
  readonly codeDeploy: CodeDeployApi;
  readonly events: EventsApi;
  readonly scheduler: SchedulerApi;
}

/**
 * The services over one seam; nothing is loaded or asked before the first call. Whatever
 * they reject with is an `AwsError`, but for the reason of a signal.
 */
export function apisOver(raw: AwsCall): Apis {
  const call = explained(raw);
  return {
    ecs: ecsApi(call),
    logs: logsApi(call),
    elb: elbApi(call),
    codeDeploy: codeDeployApi(call),
    events: eventsApi(call),
    scheduler: schedulerApi(call),
  };
}
