import { list } from "../../../../lib/aws/answers.ts";
import type { AwsCall, AwsCallOptions, JsonObject } from "../../../../lib/aws/call.ts";

/** One line of a log stream; `timestamp` in milliseconds since the epoch. */
export interface LogEvent {
  readonly timestamp?: number;
  readonly message?: string;
}

/** What GetLogEvents is asked. `startFromHead: false` (the default) answers the newest page. */
export interface LogQuery {
  readonly group: string;
  readonly stream: string;
  /** Where the group lives, when not in the client's own region; the awslogs driver allows it. */
  readonly region?: string;
  readonly limit?: number;
  readonly startFromHead?: boolean;
  readonly nextToken?: string;
}

/**
 * A page. The end of a stream is not an empty page but the same `nextForwardToken` as
 * was asked with: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
 */
export interface LogPage {
  readonly events: readonly LogEvent[];
  readonly nextForwardToken?: string;
  readonly nextBackwardToken?: string;
}

/** Amazon CloudWatch Logs, as far as this action calls it. */
export interface LogsApi {
  getLogEvents(query: LogQuery, options?: AwsCallOptions): Promise<LogPage>;
}

/** The real thing over `call`. */
export function logsApi(call: AwsCall): LogsApi {
  return {
    getLogEvents: async ({ group, stream, region, limit, startFromHead, nextToken }, options) => {
      const input: JsonObject = {
        logGroupName: group,
        logStreamName: stream,
        ...(limit === undefined ? {} : { limit }),
        ...(startFromHead === undefined ? {} : { startFromHead }),
        ...(nextToken === undefined ? {} : { nextToken }),
      };
      const answer = await call("logs", "GetLogEvents", input, {
        ...options,
        ...(region === undefined ? {} : { region }),
      });
      const forward = answer["nextForwardToken"];
      const backward = answer["nextBackwardToken"];
      return {
        events: list<LogEvent>(answer["events"]),
        ...(typeof forward === "string" ? { nextForwardToken: forward } : {}),
        ...(typeof backward === "string" ? { nextBackwardToken: backward } : {}),
      };
    },
  };
}
