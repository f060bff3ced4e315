import { list, pages } from "../../../../lib/aws/answers.ts";
import type { AwsCall, AwsCallOptions, JsonObject } from "../../../../lib/aws/call.ts";

/** An entry that PutTargets could not write, in an answer that is a 200. */
export interface FailedTarget {
  readonly TargetId?: string;
  readonly ErrorCode?: string;
  readonly ErrorMessage?: string;
}

/** Amazon EventBridge rules, as far as this action calls them. */
export interface EventsApi {
  /** All targets of a rule, each as EventBridge answers it; one request a page. */
  listTargetsByRule(rule: string, bus: string, options?: AwsCallOptions): Promise<readonly JsonObject[]>;
  /** Overwrites whole targets, at most 10; answers those that could not be written. */
  putTargets(
    rule: string,
    bus: string,
    targets: readonly JsonObject[],
    options?: AwsCallOptions,
  ): Promise<readonly FailedTarget[]>;
}

/** The real thing over `call`; `bus` is a name or ARN, empty means the default one. */
export function eventsApi(call: AwsCall): EventsApi {
  const named = (rule: string, bus: string) => ({ Rule: rule, ...(bus === "" ? {} : { EventBusName: bus }) });
  return {
    listTargetsByRule: (rule, bus, options) =>
      pages<JsonObject>(
        "Targets",
        (token) => call("events", "ListTargetsByRule", { ...named(rule, bus), ...token }, options),
        "NextToken",
      ),
    putTargets: async (rule, bus, targets, options) => {
      const answer = await call("events", "PutTargets", { ...named(rule, bus), Targets: targets }, options);
      return list<FailedTarget>(answer["FailedEntries"]);
    },
  };
}
