import { AwsError } from "../../../../lib/aws/errors.ts";
import { messageOf } from "../../../../lib/errors.ts";
import type { Log } from "../../../../lib/log.ts";
import type { LogsApi } from "../api/logs.ts";
import type { LogSource } from "../diagnose/log-source.ts";
import { lineOf } from "../diagnose/log-tail.ts";

/** Lines that are printed; a task that says more is read in CloudWatch. */
const MOST_LINES = 10_000;
/** Pages at the end of a stream: the end is only where the token stays the same. */
const LAST_PAGES = 50;

/** Prints what a container writes to CloudWatch Logs, as it comes, and keeps the last lines. */
export class LogFollower {
  /** The last lines, at most `keep`. */
  readonly tail: string[] = [];
  private readonly logs: LogsApi;
  private readonly log: Log;
  private readonly source: LogSource;
  private readonly keep: number;
  private token: string | undefined;
  private printed = 0;
  private off = false;

  constructor(logs: LogsApi, log: Log, source: LogSource, keep: number) {
    this.logs = logs;
    this.log = log;
    this.source = source;
    this.keep = keep;
  }

  /** Why there are no lines; "" when there can be some. */
  get note(): string {
    return this.source.kind === "unreadable" ? this.source.why : "";
  }

  /** Prints the next page. True when more may be there at once. Never throws but for the signal. */
  async next(signal: AbortSignal): Promise<boolean> {
    if (this.off || this.source.kind === "unreadable") return false;
    const { group, stream, region } = this.source;
    try {
      const page = await this.logs.getLogEvents(
        {
          group,
          stream,
          startFromHead: true,
          ...(region === "" ? {} : { region }),
          ...(this.token === undefined ? {} : { nextToken: this.token }),
        },
        { signal },
      );
      for (const { message = "" } of page.events) this.print(lineOf(message));
      const same = page.nextForwardToken === undefined || page.nextForwardToken === this.token;
      this.token = page.nextForwardToken ?? this.token;
      return !same;
    } catch (error) {
      signal.throwIfAborted();
      return this.stumble(error);
    }
  }

  /** Everything that is still there. */
  async drain(signal: AbortSignal): Promise<void> {
    for (let page = 0; page < LAST_PAGES; page++) if (!(await this.next(signal))) return;
  }

  private print(line: string): void {
    this.tail.push(line);
    if (this.tail.length > this.keep) this.tail.splice(0, this.tail.length - this.keep);
    this.printed++;
    if (this.printed <= MOST_LINES) this.log.info(`| ${line}`);
    if (this.printed === MOST_LINES) this.log.info("| further lines are in CloudWatch Logs only");
  }

  /** The stream is made with the first line; a throttle passes; anything else is told once and ends the following. */
  private stumble(error: unknown): false {
    if (error instanceof AwsError && (error.fault === "not-found" || error.fault === "transient"))
      return false;
    this.off = true;
    const fix = error instanceof AwsError && error.fix !== "" ? `; ${error.fix}` : "";
    this.log.info(`the task's log is not shown: ${messageOf(error)}${fix}`);
    return false;
  }
}
