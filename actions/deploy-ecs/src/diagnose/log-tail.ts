import type { JsonObject } from "../../../../lib/aws/call.ts";
import { AwsError } from "../../../../lib/aws/errors.ts";
import { isError, messageOf } from "../../../../lib/errors.ts";
import { cutAtWord } from "../../../../lib/words.ts";
import type { LogsApi } from "../api/logs.ts";
import { logSourceOf } from "./log-source.ts";

/** The last lines of a container, or why there are none. */
export interface LogTail {
  readonly lines: readonly string[];
  /** "" when the lines are all there is to say. */
  readonly note: string;
}

/** A page of GetLogEvents holds at most so many. */
const MOST_LINES = 10_000;
/** Pages asked backwards: an empty one is not the end. */
const MOST_PAGES = 5;
/** A longer line is cut, characters. */
const LONGEST = 2000;

/** Which lines are wanted. */
export interface TailQuery {
  readonly definition: JsonObject;
  readonly container: string;
  readonly taskArn: string;
  readonly lines: number;
}

/** The last lines that a container wrote to CloudWatch Logs; never throws but for the signal. */
export async function logTail(logs: LogsApi, query: TailQuery, signal?: AbortSignal): Promise<LogTail> {
  if (query.lines === 0) return { lines: [], note: "" };
  const source = logSourceOf(query.definition, query.container, query.taskArn);
  if (source.kind === "unreadable") return { lines: [], note: source.why };
  const { group, stream, region } = source;
  const at = { group, stream, ...(region === "" ? {} : { region }) };
  let lines: string[] = [];
  let token: string | undefined;
  try {
    for (let page = 0; page < MOST_PAGES && lines.length < query.lines; page++) {
      const limit = Math.min(query.lines - lines.length, MOST_LINES);
      const next = token === undefined ? {} : { nextToken: token };
      const answer = await logs.getLogEvents(
        { ...at, ...next, limit, startFromHead: false },
        signal ? { signal } : {},
      );
      lines = [...answer.events.map(({ message = "" }) => lineOf(message)), ...lines];
      if (answer.nextBackwardToken === undefined || answer.nextBackwardToken === token) break;
      token = answer.nextBackwardToken;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (lines.length === 0) return { lines: [], note: whyNot(error, `${group} ${stream}`) };
  }
  const note = lines.length === 0 ? `container ${query.container} wrote nothing to ${group}` : "";
  return { lines: lines.slice(-query.lines), note };
}

/** One event as one line, without colours and its line's end. */
export function lineOf(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal are such characters
  return cutAtWord(message.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "").trimEnd(), LONGEST);
}

function whyNot(error: unknown, place: string): string {
  // The stream is made with the first line.
  if (error instanceof AwsError && error.fault === "not-found") return `there is no log stream ${place}`;
  const fix = error instanceof AwsError && error.fix !== "" ? `; ${error.fix}` : "";
  return `the log cannot be read: ${isError(error) ? messageOf(error) : "unknown"}${fix}`;
}
