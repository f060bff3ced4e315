import type { AwsCall, AwsCallOptions, JsonObject } from "../../../../lib/aws/call.ts";

/** Amazon EventBridge Scheduler, as far as this action calls it. */
export interface SchedulerApi {
  /** The whole schedule; `group` empty means `default`. */
  getSchedule(name: string, group: string, options?: AwsCallOptions): Promise<JsonObject>;
  /** Every member that `schedule` lacks is reset by AWS: it must be a whole one. */
  updateSchedule(schedule: JsonObject, options?: AwsCallOptions): Promise<void>;
}

/** The real thing over `call`. */
export function schedulerApi(call: AwsCall): SchedulerApi {
  return {
    getSchedule: (Name, group, options) =>
      call("scheduler", "GetSchedule", { Name, ...(group === "" ? {} : { GroupName: group }) }, options),
    updateSchedule: async (schedule, options) => {
      await call("scheduler", "UpdateSchedule", schedule, options);
    },
  };
}
