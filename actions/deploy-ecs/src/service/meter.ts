import type { AwsCall } from "../../../../lib/aws/call.ts";
import type { Clock } from "../../../../lib/clock.ts";

const MINUTE_MS = 60_000;
/** Calls a minute that a run allows itself. ECS gives an account's readers some 20 a second to share. */
const PER_MINUTE = 24;
/** The first looks come faster than the ceiling says: so many more of them are expected. */
const EARLY_LOOKS = 3;

/** Counts the calls of a run, so that what is only nice to know waits for a quiet moment. */
export class Meter {
  private times: number[] = [];
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** The same calls, counted. */
  counted(call: AwsCall): AwsCall {
    return (service, operation, input, options) => {
      this.times.push(this.clock.now());
      return call(service, operation, input, options);
    };
  }

  /** Whether one more call now leaves room for one look each `pollMs` in every minute that it falls into. */
  hasRoom(pollMs: number): boolean {
    const now = this.clock.now();
    this.times = this.times.filter((at) => at > now - MINUTE_MS);
    for (let looks = 0; looks * pollMs < MINUTE_MS; looks++) {
      const end = now + looks * pollMs;
      const recent = this.times.filter((at) => at > end - MINUTE_MS).length;
      const early = this.times.length > 0 && looks > 0 ? EARLY_LOOKS : 0;
      if (recent + 1 + looks + Math.min(early, looks) > PER_MINUTE) return false;
    }
    return true;
  }
}
