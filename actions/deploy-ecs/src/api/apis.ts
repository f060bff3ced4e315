import type { AwsCall } from "../../../../lib/aws/call.ts";
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

/** The services over one seam; nothing is loaded or asked before the first call. */
export function apisOver(call: AwsCall): Apis {
  return {
    ecs: ecsApi(call),
    logs: logsApi(call),
    elb: elbApi(call),
    codeDeploy: codeDeployApi(call),
    events: eventsApi(call),
    scheduler: schedulerApi(call),
  };
}
