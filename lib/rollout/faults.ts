import { Failure, messageOf, systemCode, TimeoutError } from "../errors.ts";
import type { Cause, FaultClass } from "./target.ts";

/** Of Node and of the network below it: the connection, not the question, was the trouble. */
const PASSING_SYSTEM_CODES = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EPIPE",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** Names that AWS services give to "later": https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
const PASSING_NAMES =
  /^(Throttl\w*|TooManyRequests\w*|RequestThrottled\w*|SlowDown|RequestLimitExceeded|BandwidthLimitExceeded|LimitExceededException|RequestTimeout\w*|TimeoutError|ServiceUnavailable\w*|InternalServer\w*|InternalFailure|ServerException|PriorRequestNotComplete)$/;
const DENIED_NAMES =
  /^(AccessDenied\w*|UnauthorizedOperation|Unauthorized\w*|NotAuthorized|Forbidden\w*|ExpiredToken\w*|InvalidClientTokenId|UnrecognizedClient\w*|CredentialsProviderError)$/;
const DENIED_CODES = new Set([
  "ACCESS_DENIED",
  "AUTH_FAILED",
  "CREDENTIALS_EXPIRED",
  "FORBIDDEN",
  "PERMISSION_DENIED",
  "UNAUTHORIZED",
]);

/**
 * What a thrown error means for the question that was asked: it, or one of its
 * causes, is known to pass (throttle, 5xx, reset, time-out), is a refusal, or
 * is neither and will not get better by asking again.
 */
export function classifyError(error: unknown): FaultClass {
  const passingCode = PASSING_SYSTEM_CODES.has(systemCode(error));
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    const found = classifyOne(current);
    if (found !== undefined) return found;
    current = current.cause;
  }
  return passingCode ? "transient" : "permanent";
}

function classifyOne(error: Error): FaultClass | undefined {
  const status = httpStatus(error);
  if (error instanceof TimeoutError || PASSING_NAMES.test(error.name)) return "transient";
  if (status === 408 || status === 429 || status >= 500) return "transient";
  if (error instanceof Failure && DENIED_CODES.has(error.code)) return "denied";
  if (status === 401 || status === 403 || DENIED_NAMES.test(error.name)) return "denied";
  return undefined;
}

function httpStatus(error: Error): number {
  const { status, statusCode, $metadata } = error as Error & {
    status?: unknown;
    statusCode?: unknown;
    $metadata?: { httpStatusCode?: unknown };
  };
  return Number($metadata?.httpStatusCode ?? statusCode ?? status ?? 0) || 0;
}

/** A thrown error as a cause: a `Failure` keeps its code, fix and evidence. */
export function causeOf(error: unknown, found: FaultClass): Cause {
  const message = messageOf(error).replace(/\s*\n\s*/g, "; ");
  if (error instanceof Failure) {
    return {
      code: error.code,
      message,
      evidence: error.evidence,
      ...(error.fix === "" ? {} : { fix: error.fix }),
    };
  }
  return { code: found === "denied" ? "ACCESS_DENIED" : "REMOTE_FAILED", message };
}
