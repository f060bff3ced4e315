import { AwsError } from "../../../../lib/aws/errors.ts";
import { messageOf } from "../../../../lib/errors.ts";
import type { Log } from "../../../../lib/log.ts";

/** Calls that a deployment can do without: the first refusal is told once, and then it is not asked again. */
export class Optional {
  private readonly refused = new Set<string>();
  private readonly log: Log;

  constructor(log: Log) {
    this.log = log;
  }

  /** Whether the permission was denied already. */
  isOff(action: string): boolean {
    return this.refused.has(action);
  }

  /**
   * The answer, or undefined when there is none. `without` says what is missed without the permission; `onlyDenied`:
   * another refusal concerns this one question, not all of its kind. Rejects only when the credentials have ended,
   * or on abort.
   */
  async ask<T>(
    action: string,
    without: string,
    question: () => Promise<T>,
    onlyDenied = false,
  ): Promise<T | undefined> {
    if (this.refused.has(action)) return undefined;
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof AwsError) || error.fault === "expired") throw error;
      if (error.fault === "transient" || (onlyDenied && error.fault !== "denied")) {
        this.log.debug(`${action}: ${error.message}`);
        return undefined;
      }
      this.refused.add(action);
      this.log.annotate({
        level: "notice",
        title: `deploy-ecs: ${action}`,
        message: `${messageOf(error)}; ${without}`,
      });
      return undefined;
    }
  }
}
