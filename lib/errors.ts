import { isNativeError } from "node:util/types";

/**
 * What a red step says. Every failure carries a stable code, one line for the
 * reader, what to do about it, and the evidence it was concluded from.
 */
export interface FailureDetail {
  /** Stable, upper case, documented in the action's README (for example `HEALTH_CHECK_FAILED`). */
  readonly code: string;
  /** What the user can do about it, one sentence. */
  readonly fix?: string;
  /** Lines that prove the message: exit codes, last log lines, probe answers. */
  readonly evidence?: readonly string[];
  /** The `outcome` output; `failed` unless the target was changed and restored, and so on. */
  readonly outcome?: string;
  readonly cause?: unknown;
}

/** The root of all failures that goci raises on purpose; anything else is a defect and says so. */
export class Failure extends Error {
  readonly code: string;
  readonly fix: string;
  readonly evidence: readonly string[];
  readonly outcome: string;

  constructor(message: string, detail: FailureDetail) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "Failure";
    this.code = detail.code;
    this.fix = detail.fix ?? "";
    this.evidence = detail.evidence ?? [];
    this.outcome = detail.outcome ?? "failed";
  }
}

/** Wrong inputs: raised before anything remote is touched; `problems` holds every one of them. */
export class UserError extends Failure {
  readonly problems: readonly string[];

  constructor(problems: readonly string[], fix = "correct the inputs named above") {
    super(problems.join("; "), { code: "BAD_INPUT", fix });
    this.name = "UserError";
    this.problems = problems;
  }
}

/** A remote (host, API, registry, database) refused or broke. */
export class RemoteError extends Failure {
  constructor(message: string, detail: FailureDetail) {
    super(message, detail);
    this.name = "RemoteError";
  }
}

/** A budget was used up; the message says which one and what was being waited for. */
export class TimeoutError extends Failure {
  constructor(message: string, detail: Omit<FailureDetail, "code"> & { readonly code?: string }) {
    super(message, { ...detail, code: detail.code ?? "TIMED_OUT" });
    this.name = "TimeoutError";
  }
}

/** SIGINT or SIGTERM reached the step. */
export class Cancelled extends Failure {
  constructor(message = "the run was cancelled", detail: Partial<FailureDetail> = {}) {
    super(message, { code: "CANCELLED", outcome: "cancelled", ...detail });
    this.name = "Cancelled";
  }
}

/** Whether this is an error, also one made in another realm (a worker, a test's sandbox), where `instanceof` says no. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || isNativeError(value);
}

/**
 * The text of anything that was thrown, without the class name. An
 * AggregateError (all addresses of a host refused) has no message of its own:
 * those of its errors stand for it.
 */
export function messageOf(error: unknown): string {
  if (isError(error)) {
    const inner =
      error.message === "" && "errors" in error && Array.isArray(error.errors) ? error.errors : [];
    return [...new Set(inner.map(messageOf))].join("; ") || error.message || error.name;
  }
  if (typeof error === "string") return error;
  try {
    return JSON.stringify(error) ?? String(error);
  } catch {
    return String(error);
  }
}

/** The messages of an error and of its causes, outermost first; stops at cycles and after 8. */
export function causeChain(error: unknown): string[] {
  const messages: string[] = [];
  const seen = new Set<unknown>();
  let current: unknown = error;
  while (current !== undefined && current !== null && !seen.has(current) && messages.length < 8) {
    seen.add(current);
    messages.push(messageOf(current));
    current = isError(current) ? current.cause : undefined;
  }
  return messages;
}

/** The system error code (`ECONNREFUSED`, `ENOSPC`, ...) of an error or of one of its causes, else "". */
export function systemCode(error: unknown): string {
  let current: unknown = error;
  for (let depth = 0; depth < 8 && isError(current); depth++) {
    const code = "code" in current ? current.code : undefined;
    if (typeof code === "string" && !(current instanceof Failure)) return code;
    current = current.cause;
  }
  return "";
}
