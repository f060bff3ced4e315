import { Failure, isError, messageOf, RemoteError, systemCode } from "../errors.ts";
import { cutAtWord } from "../words.ts";
import type { AwsCall, AwsService } from "./call.ts";

/** Of a message of AWS so much is kept, characters. */
const LONGEST = 600;

/** What a refusal means for whoever asked. */
export type AwsFault =
  /** Throttle, 5xx, reset, time-out: the same request may succeed later. */
  | "transient"
  /** The caller lacks a permission. */
  | "denied"
  /** The credentials have ended, are not known to AWS, or sign wrongly: no request will succeed. */
  | "expired"
  | "not-found"
  /** The request itself is refused. */
  | "permanent";

/** What is known about an error of AWS, in goci's words. */
export interface AwsVerdict {
  readonly fault: AwsFault;
  /** A failure code: ACCESS_DENIED, CREDENTIALS_EXPIRED, CREDENTIALS_MISSING, REMOTE_FAILED or REQUEST_REFUSED. */
  readonly code: string;
  /** One line, no full stop. */
  readonly message: string;
  readonly fix: string;
}

/** A request that AWS, or the way to it, has refused. Its `name` is AWS's own code (`ThrottlingException`). */
export class AwsError extends RemoteError {
  /** `ecs:UpdateService`. */
  readonly request: string;
  readonly fault: AwsFault;
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;

  constructor(request: string, error: unknown) {
    const verdict = classifyAws(error, request);
    super(verdict.message, { code: verdict.code, fix: verdict.fix, cause: error });
    this.name = awsCode(error);
    this.request = request;
    this.fault = verdict.fault;
    this.status = httpStatus(error);
  }
}

/** The same calls; whatever they reject with (but for the signal's own reason and what is a `Failure` already) is an `AwsError`. */
export function explained(call: AwsCall): AwsCall {
  return async (service, operation, input, options) => {
    try {
      return await call(service, operation, input, options);
    } catch (error) {
      // Ours already: what AWS or the way to it refused, or a region that nobody names.
      if (error instanceof Failure) throw error;
      options?.signal?.throwIfAborted();
      throw new AwsError(requestName(service, operation), error);
    }
  };
}

/** An error in the words of the rollout engine (`Target.classify`); undefined when it is none of AWS's. */
export function faultClassOf(error: unknown): "transient" | "denied" | "permanent" | undefined {
  if (!(error instanceof AwsError)) return undefined;
  if (error.fault === "transient") return "transient";
  return error.fault === "denied" || error.fault === "expired" ? "denied" : "permanent";
}

/** `ecs:UpdateService`, as IAM calls the action. */
export function requestName(service: AwsService, operation: string): string {
  return `${service === "elbv2" ? "elasticloadbalancing" : service}:${operation}`;
}

/** https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, and what single services add. */
const PASSING =
  /^(Throttl\w*|\w*TooManyRequests\w*|RequestThrottled\w*|SlowDown|RequestLimitExceeded|BandwidthLimitExceeded|ProvisionedThroughputExceeded\w*|RequestTimeout\w*|TimeoutError|\w*ServiceUnavailable\w*|Internal(Server|Service)?(Error|Exception|Failure)|InternalServer\w*|ServerException|ServiceException|PriorRequestNotComplete|TransactionInProgress\w*|UnreadableAnswer)$/;
const DENIED =
  /^(AccessDenied\w*|AccessDeniedException|UnauthorizedOperation|Unauthorized\w*|NotAuthorized\w*|Forbidden\w*|OptInRequired|SubscriptionRequired\w*)$/;
/** Some services say so under another name: ECS of iam:PassRole as a ClientException. */
const NOT_AUTHORIZED = /is not authorized to perform: [\w-]+:\w+/;
const EXPIRED =
  /^(ExpiredToken\w*|TokenRefreshRequired|RequestExpired|InvalidClientTokenId|UnrecognizedClient\w*|InvalidSignature\w*|SignatureDoesNotMatch|IncompleteSignature\w*|InvalidAccessKeyId|AuthFailure|MissingAuthenticationToken\w*|InvalidIdentityToken\w*|InvalidToken\w*)$/;
const UNKNOWN_CALLER = /^(CredentialsProviderError|TokenProviderError|ProviderError)$/;
const NOT_FOUND = /NotFound(Exception|Fault)?$|DoesNotExist\w*$|^(NoSuch\w*)$/;

/** Of Node and of the network below it. */
const PASSING_SYSTEM =
  /^(ECONNRESET|ECONNREFUSED|ECONNABORTED|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EPIPE|ETIMEDOUT|EAI_AGAIN|UND_ERR_\w+|ERR_STREAM_PREMATURE_CLOSE)$/;

/**
 * What an error of a call to AWS means. ECS refuses with HTTP 400 whatever the
 * reason, so the error's name decides first and its status last. `request` names
 * the call in the message (`ecs:UpdateService`).
 */
export function classifyAws(error: unknown, request = "AWS"): AwsVerdict {
  const name = awsCode(error);
  const status = httpStatus(error);
  const said = firstLine(error);
  if (UNKNOWN_CALLER.test(name)) return missing(said);
  // Of most services it is a quota, which waiting does not raise; of some it is a rate.
  const rate = name === "LimitExceededException" && /rate|throttl|too many requests/i.test(said);
  if (PASSING.test(name) || rate || status === 429 || status === 408 || status >= 500) {
    return passing(`${request} failed for now: ${described(name, said, status)}`);
  }
  if (EXPIRED.test(name)) return expired(request, name, said);
  if (DENIED.test(name) || NOT_AUTHORIZED.test(said) || status === 401 || status === 403) {
    return denied(request, said);
  }
  if (NOT_FOUND.test(name) || status === 404) {
    return { fault: "not-found", code: "REMOTE_FAILED", message: `${request}: ${said}`, fix: "" };
  }
  const system = systemCode(error);
  if (status === 0 && (PASSING_SYSTEM.test(system) || /^(socket hang up|aborted)$/i.test(said))) {
    return passing(
      `${request} was not answered: ${said}`,
      "check the runner's way to AWS (DNS, proxy, AWS_ENDPOINT_URL)",
    );
  }
  if (status === 0)
    return { fault: "permanent", code: "REMOTE_FAILED", message: `${request}: ${said}`, fix: "" };
  return {
    fault: "permanent",
    code: "REQUEST_REFUSED",
    message: `AWS refused ${request}: ${said} (${name})`,
    fix: "",
  };
}

function passing(
  message: string,
  fix = "run the job again; see https://health.aws.amazon.com when it stays",
): AwsVerdict {
  return { fault: "transient", code: "REMOTE_FAILED", message, fix };
}

function missing(said: string): AwsVerdict {
  const ended = /expired/i.test(said);
  return {
    fault: "expired",
    code: ended ? "CREDENTIALS_EXPIRED" : "CREDENTIALS_MISSING",
    message: `no AWS credentials: ${said}`,
    fix: "run aws-actions/configure-aws-credentials (with `permissions: id-token: write`) in a step before this one, or set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
  };
}

function expired(request: string, name: string, said: string): AwsVerdict {
  const clock = /signature (expired|not yet current)|RequestExpired/i.test(`${said} ${name}`);
  return {
    fault: "expired",
    code: "CREDENTIALS_EXPIRED",
    message: `AWS no longer accepts the credentials (${request}: ${said})`,
    fix: clock
      ? "set the clock of the runner"
      : "credentials of an OIDC role end after role-duration-seconds (1 h unless set): ask for a longer session, or put the AWS login right before this step",
  };
}

/**
 * The user arrives as `User: arn:... is not authorized to perform: ecs:UpdateService on resource:
 * arn:... because no identity-based policy allows the ecs:UpdateService action`.
 */
function denied(request: string, said: string): AwsVerdict {
  const found =
    /^(?:User: (?<who>\S+) )?is not authorized to perform: (?<what>[\w-]+:\w+)(?: on resource: (?<on>[^\s"]+))?/m.exec(
      said.replace(/^.*?(?=User: )/, ""),
    )?.groups;
  const action = found?.["what"] ?? request;
  const on = found?.["on"] === undefined ? "" : ` on ${found["on"].replace(/\.$/, "")}`;
  const who = found?.["who"] ?? "";
  const byWhom = /with an explicit deny in an? ([\w -]+?)(?:[.:]|$)/.exec(said)?.[1];
  const pass =
    action === "iam:PassRole"
      ? ", with the condition iam:PassedToService of the service that uses the role"
      : "";
  return {
    fault: "denied",
    code: "ACCESS_DENIED",
    message:
      found === undefined
        ? `AWS denied ${request}: ${said}`
        : `AWS denied ${request}: ${who === "" ? "this identity" : who} may not ${action}${on}`,
    fix:
      byWhom === undefined
        ? `allow ${action}${on}${pass}${who === "" ? "" : ` for ${who}`}`
        : `an explicit deny in ${/^[aeiou]/.test(byWhom) ? "an" : "a"} ${byWhom} forbids ${action}${on}; an allow does not lift it`,
  };
}

/** AWS's own code of an error (`ThrottlingException`), without a namespace; Node's class name for others. */
export function awsCode(error: unknown): string {
  if (!isError(error)) return "Error";
  const code = "Code" in error && typeof error.Code === "string" ? error.Code : error.name;
  return (code.split("#").at(-1) ?? code).split(":")[0] ?? code;
}

function httpStatus(error: unknown): number {
  if (!isError(error) || !("$metadata" in error)) return 0;
  const metadata = error.$metadata;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return 0;
  return Number(metadata.httpStatusCode) || 0;
}

/** The value of `{name: ..., value: ...}`, however the pair is written, and of `Value '...' at 'environment...'`. */
const ECHOED =
  /(\bname["']?\s*[:=]\s*[^,;]{0,300},\s*["']?value["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;)}\]]+)/gi;
const ECHOED_AT = /\bValue '[^']*'(?= at '[^']*environment)/gi;

/** The first line says it; the SDK appends advice for programmers. A refusal may quote the request: no value of it is kept. */
function firstLine(error: unknown): string {
  const said = messageOf(error).split("\n")[0]?.trim().replace(/\.$/, "") ?? "";
  const text = said.replace(ECHOED, "$1***").replace(ECHOED_AT, "Value '***'");
  if (/^(UnknownError|Unknown|)$/.test(text)) return awsCode(error);
  return cutAtWord(text, LONGEST);
}

function described(name: string, said: string, status: number): string {
  if (name === "SyntaxError" || name === "Error" || name === "TypeError") return `HTTP ${status}`;
  return said === name || said === "" ? name : `${said} (${name})`;
}
