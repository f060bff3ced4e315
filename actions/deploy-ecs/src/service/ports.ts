import type { Clock } from "../../../../lib/clock.ts";
import type { ProbeAnswer, ProbeRequest } from "../../../../lib/http.ts";
import type { Log } from "../../../../lib/log.ts";
import type { State } from "../../../../lib/state.ts";
import type { Apis } from "../api/apis.ts";
import type { Inputs } from "../inputs/model.ts";
import type { Meter } from "./meter.ts";

/** What the target needs from outside. */
export interface EcsPorts {
  readonly apis: Apis;
  readonly inputs: Inputs;
  readonly clock: Clock;
  readonly log: Log;
  readonly mask: { add(value: string): void };
  readonly state: State;
  readonly meter: Meter;
  /** One GET; never rejects. */
  readonly probe: (request: ProbeRequest) => Promise<ProbeAnswer>;
  /** Unique to this attempt of this run: names its one-off tasks, also to a later process. At most 36 characters. */
  readonly token: string;
}
