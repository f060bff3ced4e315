import type { Clock } from "../../clock.ts";
import type { CallName } from "../model.ts";
import type { Target } from "../target.ts";
import type { SimulatedTarget } from "./simulated-target.ts";
import type { World } from "./world.ts";

/** How one call can go wrong. */
export const FAULTS = [
  "throttle",
  "server-error",
  "reset",
  "lost",
  "late",
  "denied",
  "defect",
  "hang",
  "deaf",
  "stale",
  "slow",
] as const;
export type FaultKind = (typeof FAULTS)[number];

/** Every call takes this long there, and its answer this long back. */
const WAY_MS = 20;
/** A slow call arrives so much later, whatever its caller wants by then. */
const SLOW_MS = 2000;
/** A late request lands after this long; a stale read is that old. Both within what `settleMs` allows for. */
const LATE_MS = 3000;

/** One call as the target saw it. */
export interface SeenCall {
  readonly name: CallName;
  readonly at: number;
  readonly stage: number;
  /** The kind of the answer and when the engine got it; "" and Infinity when it got none. */
  answer: string;
  answeredAt: number;
}

/** Whether a call of a process that dies reaches the target. */
export const LANDED = ["never", "now", "late"] as const;
export type Landed = (typeof LANDED)[number];

/** What the line does to its calls, by their number over all processes of a run. */
export interface LineTrouble {
  faultOf(number: number): FaultKind | undefined;
  /** Whether the process dies at this call, and what becomes of the call. */
  deathAt(number: number): { readonly landed: Landed } | undefined;
  onCall(number: number): void;
  die(): void;
}

type Method = (...args: unknown[]) => Promise<unknown>;

const METHODS: ReadonlySet<string> = new Set<CallName>([
  "inspect",
  "gate",
  "apply",
  "locate",
  "observe",
  "verify",
  "commit",
  "diagnose",
  "rollBack",
  "release",
]);

/** The target as one process reaches it. */
export function behindBadLine(
  target: SimulatedTarget,
  world: World,
  clock: Clock,
  trouble: LineTrouble,
  calls: SeenCall[],
): Target {
  const through =
    (name: CallName, method: Method): Method =>
    async (...args) => {
      const number = calls.length;
      const fault = trouble.faultOf(number);
      const seen = seeCall(name, args, world);
      calls.push(seen);
      trouble.onCall(number);
      await clock.sleep(fault === "slow" ? SLOW_MS : WAY_MS);
      const death = trouble.deathAt(number);
      const land = () => void method.apply(target, args).catch(() => {});
      if (death?.landed === "now") land();
      if (death?.landed === "late" || fault === "late") world.clock.at(LATE_MS, land);
      if (death) trouble.die();
      if (death || fault === "deaf") return new Promise(() => {});
      if (fault) await fail(fault, args);
      target.age = () => (fault === "stale" ? LATE_MS : 0);
      const result = await method.apply(target, args);
      if (fault === "lost") throw reset();
      await clock.sleep(WAY_MS);
      seen.answer = (result as { kind?: string } | undefined)?.kind ?? "";
      seen.answeredAt = world.clock.time;
      return result;
    };
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key);
      if (typeof value !== "function") return value;
      const method = value as Method;
      return METHODS.has(String(key)) ? through(key as CallName, method) : method.bind(object);
    },
  });
}

function seeCall(name: CallName, args: readonly unknown[], world: World): SeenCall {
  const [attempt] = args as [{ stage?: number } | undefined];
  return { name, at: world.clock.time, stage: attempt?.stage ?? 0, answer: "", answeredAt: Infinity };
}

async function fail(fault: FaultKind, args: readonly unknown[]): Promise<void> {
  const { signal } = args.at(-1) as { signal: AbortSignal };
  switch (fault) {
    case "throttle":
      throw Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" });
    case "server-error":
      throw Object.assign(new Error("oops"), { statusCode: 503 });
    case "reset":
    case "late":
      throw reset();
    case "denied":
      throw Object.assign(new Error("not allowed"), { status: 403 });
    case "defect":
      throw new TypeError("x is not a function");
    case "hang":
      return new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
      );
    default:
      return;
  }
}

function reset(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
}
