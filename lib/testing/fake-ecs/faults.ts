import { type AwsService, ConnectionReset, FakeAwsError, type Json } from "./types.ts";

/** What goes wrong with a call. */
export type Fault =
  /** Refused with ThrottlingException; nothing was done. */
  | "throttle"
  /** Answered 500 before anything was done, or after it was. */
  | "server-error"
  | "server-error-after"
  /** The connection is cut before the call reached AWS, or after it took effect. */
  | "reset-before"
  | "reset-after"
  | "denied"
  | "expired-token"
  /** No answer ever comes; the call took no effect (`hang`) or took it (`hang-after`). */
  | "hang"
  | "hang-after"
  /** Any other error of AWS. */
  | { readonly code: string; readonly message: string; readonly status?: number };

/** Which calls a fault or a hook hits. All given conditions have to hold. */
export interface When {
  readonly service?: AwsService;
  readonly operation?: string | readonly string[];
  /** The nth call of all, from 1, in the world's log. */
  readonly call?: number;
  /** The nth of the calls that fit the rest, from 1; or from the nth on. */
  readonly nth?: number;
  readonly from?: number;
  /** Only so many of the calls that fit (default: 1 with `nth` or `call`, else all). */
  readonly times?: number;
  /** Between 0 and 1, drawn from the world's seed. */
  readonly probability?: number;
  /** Looks at the request itself. */
  readonly where?: (input: Json) => boolean;
}

/** A condition with its memory of the calls that it has seen. */
export class Matcher {
  private seen = 0;
  private hits = 0;
  private readonly when: When;
  private readonly random: () => number;

  constructor(when: When, random: () => number) {
    this.when = when;
    this.random = random;
  }

  matches(call: { service: AwsService; operation: string; nth: number; input: Json }): boolean {
    const { service, operation, nth, from, times, probability, where } = this.when;
    if (service !== undefined && service !== call.service) return false;
    if (operation !== undefined && ![operation].flat().includes(call.operation)) return false;
    if (this.when.call !== undefined && this.when.call !== call.nth) return false;
    if (where && !where(call.input)) return false;
    this.seen += 1;
    if (nth !== undefined && this.seen !== nth) return false;
    if (from !== undefined && this.seen < from) return false;
    if (times !== undefined && this.hits >= times) return false;
    if (probability !== undefined && this.random() >= probability) return false;
    this.hits += 1;
    return true;
  }
}

/** Whether the fault comes after the call took effect. */
export function isLate(fault: Fault): boolean {
  return typeof fault === "string" && fault.endsWith("-after");
}

/** The error that a fault answers with; undefined: no answer at all. */
export function errorOf(fault: Fault, call: { action: string; service: AwsService }): Error | undefined {
  if (typeof fault === "object") return new FakeAwsError(fault.code, fault.message, fault.status ?? 400);
  switch (fault) {
    case "throttle":
      return new FakeAwsError(
        call.service === "elbv2" || call.service === "sts" ? "Throttling" : "ThrottlingException",
        "Rate exceeded",
      );
    case "server-error":
    case "server-error-after":
      return new FakeAwsError(
        call.service === "ecs" ? "ServerException" : "InternalFailure",
        "Service Unavailable. Please try again later.",
        500,
      );
    case "reset-before":
    case "reset-after":
      return new ConnectionReset();
    case "denied":
      return denial(call.service, call.action, "*");
    case "expired-token":
      return new FakeAwsError(
        call.service === "elbv2" || call.service === "sts" ? "ExpiredToken" : "ExpiredTokenException",
        "The security token included in the request is expired",
        call.service === "elbv2" || call.service === "sts" ? 403 : 400,
      );
    default:
      return undefined;
  }
}

/** IAM says no, in its own words. ECS answers that as 400, the query services as 403. */
export function denial(service: AwsService, action: string, resource: string): FakeAwsError {
  const query = service === "elbv2" || service === "sts";
  return new FakeAwsError(
    query ? "AccessDenied" : "AccessDeniedException",
    `User: arn:aws:sts::123456789012:assumed-role/goci/ci is not authorized to perform: ${action} on resource: ${resource} ` +
      `because no identity-based policy allows the ${action} action`,
    query ? 403 : 400,
  );
}
