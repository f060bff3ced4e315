import { type Clock, formatDuration } from "./clock.ts";
import type { ProbeAnswer } from "./http.ts";
import type { InputReader } from "./inputs.ts";
import type { Mask } from "./mask.ts";

/** What a healthy answer looks like and how often it must be seen; durations in milliseconds. */
export interface HealthCheck {
  readonly url: string;
  readonly path: string;
  readonly status: readonly (readonly [number, number])[];
  readonly contains: string;
  /** Path into the JSON body (`a.b.0.c`) to the text that must stand there. */
  readonly json: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
  readonly passes: number;
  readonly intervalMs: number;
  readonly requestTimeoutMs: number;
  readonly timeoutMs: number;
}

/** Reads the `health-check-*` inputs that the three deploy actions share; `path` only where the action has one. */
export function readHealthCheck(read: InputReader, mask: Mask, defaultPath?: string): HealthCheck {
  const url = read.text("health-check-url");
  if (url !== "" && !/^https?:\/\/[^/]/.test(url)) {
    read.problem(`\`health-check-url\` is \`${url}\`: allowed is an absolute http or https URL`);
  }
  const path = defaultPath === undefined ? "" : read.text("health-check-path", defaultPath);
  if (path !== "" && !path.startsWith("/")) {
    read.problem(`\`health-check-path\` is \`${path}\`: it must start with \`/\``);
  }
  return Object.freeze({
    url,
    path,
    status: readStatus(read),
    contains: read.text("health-check-contains"),
    json: read.map("health-check-json"),
    headers: readHeaders(read, mask),
    passes: read.integer("health-check-passes", 3, { min: 1, max: 100 }),
    intervalMs: read.duration("health-check-interval", "2s", "s", { min: 50 }),
    requestTimeoutMs: read.duration("health-check-request-timeout", "5s", "s", { min: 1 }),
    timeoutMs: read.duration("health-check-timeout", "2m", "s", { min: 1 }),
  });
}

/** The check of a rollback: only the status counts, since the old version cannot match the new one's text. */
export function forRollback(check: HealthCheck): HealthCheck {
  return { ...check, contains: "", json: new Map() };
}

function readStatus(read: InputReader): [number, number][] {
  const text = read.text("health-check-status", "200-399");
  const ranges: [number, number][] = [];
  for (const part of text.split(",")) {
    const match = /^\s*([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?\s*$/.exec(part);
    const low = Number(match?.[1]);
    const high = Number(match?.[2] ?? match?.[1]);
    if (match && low <= high) ranges.push([low, high]);
    else
      read.problem(
        `\`health-check-status\` is \`${text}\`: allowed are codes and ranges such as \`200,301-399\``,
      );
  }
  return ranges;
}

/** Headers whose values are no secrets; masking `https` or a host name would spoil every address in the log. */
const PLAIN_HEADERS =
  /^(host|accept(-.*)?|user-agent|content-type|cache-control|connection|origin|referer|forwarded|x-forwarded-.*|x-request-id)$/i;

function readHeaders(read: InputReader, mask: Mask): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [index, line] of read.list("health-check-header").entries()) {
    const match = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/.exec(line);
    if (!match) {
      // The line may hold a token: only its number is told.
      read.problem(`\`health-check-header\` line ${index + 1} is not \`Name: value\``);
      continue;
    }
    if (!PLAIN_HEADERS.test(match[1] ?? "")) {
      mask.add(match[2] ?? "");
      // `Bearer abc`: the token alone is as secret as the two words.
      mask.add((match[2] ?? "").replace(/^\S+\s+/, ""));
    }
    headers.set(match[1] ?? "", match[2] ?? "");
  }
  return headers;
}

/** Why an answer is not healthy, as the end of a sentence; "" when it is. */
export function judge(check: HealthCheck, answer: ProbeAnswer): string {
  if (answer.kind === "error") return answer.message || answer.code;
  const { status, body } = answer;
  if (!check.status.some(([low, high]) => status >= low && status <= high)) {
    return `status ${status}${excerpt(body)}`;
  }
  if (check.contains !== "" && !body.includes(check.contains)) {
    return `status ${status}, but the body does not contain \`${check.contains}\`${excerpt(body)}`;
  }
  return check.json.size === 0 ? "" : judgeJson(check.json, body);
}

function judgeJson(wanted: ReadonlyMap<string, string>, body: string): string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return `the body is not JSON${excerpt(body)}`;
  }
  for (const [path, expected] of wanted) {
    const found = follow(value, path);
    const text = typeof found === "string" ? found : JSON.stringify(found);
    if (text !== expected) return `\`${path}\` is \`${text ?? "missing"}\`, not \`${expected}\``;
  }
  return "";
}

function follow(value: unknown, path: string): unknown {
  let current = value;
  for (const step of path.split(".")) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string, unknown>)[step];
  }
  return current;
}

function excerpt(body: string): string {
  const line = body.replace(/\s+/g, " ").trim().slice(0, 160);
  return line === "" ? "" : `: ${line}`;
}

/** How a check ended. `reason` is one line; `tries` counts every probe. */
export type HealthVerdict =
  | { readonly kind: "healthy"; readonly status: number; readonly tries: number; readonly ms: number }
  | {
      readonly kind: "unhealthy";
      readonly status: number;
      readonly reason: string;
      readonly tries: number;
      readonly ms: number;
    };

/** What a check needs from outside. */
export interface HealthPorts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** One probe of the target. */
  readonly probe: (check: HealthCheck) => Promise<ProbeAnswer>;
  /** A reason to stop before the budget is used up (the process ended); "" to go on. */
  readonly hopeless?: () => string;
  readonly log?: (line: string) => void;
}

/**
 * Probes until `passes` healthy answers came in a row or the budget is used
 * up. Logs only when the answer changes. Rejects only on cancel.
 */
export async function watchHealth(check: HealthCheck, ports: HealthPorts): Promise<HealthVerdict> {
  const startedAt = ports.clock.now();
  const elapsed = () => ports.clock.now() - startedAt;
  let passes = 0;
  let tries = 0;
  let status = 0;
  let last = "";
  for (;;) {
    ports.signal.throwIfAborted();
    const answer = await ports.probe(check);
    ports.signal.throwIfAborted();
    tries++;
    status = answer.kind === "response" ? answer.status : 0;
    const reason = judge(check, answer);
    passes = reason === "" ? passes + 1 : 0;
    if (reason !== last || tries === 1) {
      ports.log?.(
        `health check after ${formatDuration(elapsed())}: ${reason === "" ? `status ${status}, healthy` : reason}`,
      );
    }
    last = reason;
    if (passes >= check.passes) return { kind: "healthy", status, tries, ms: elapsed() };
    const given = ports.hopeless?.() ?? "";
    if (given !== "") return { kind: "unhealthy", status, reason: given, tries, ms: elapsed() };
    if (elapsed() + check.intervalMs > check.timeoutMs) {
      const shown = last || `only ${passes} of ${check.passes} passes in a row`;
      return {
        kind: "unhealthy",
        status,
        reason: `${shown} (after ${tries} tries in ${formatDuration(elapsed())})`,
        tries,
        ms: elapsed(),
      };
    }
    await ports.clock.sleep(check.intervalMs, ports.signal);
  }
}
