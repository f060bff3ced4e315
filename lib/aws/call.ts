/** The services that goci's actions speak to, by the names of AWS's published models. */
export type AwsService =
  | "codedeploy"
  | "ecr"
  | "ecr-public"
  | "ecs"
  | "elbv2"
  | "events"
  | "logs"
  | "scheduler"
  | "sts";

/** What one call may be told besides its input. */
export interface AwsCallOptions {
  /** Aborts the request; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Another region than the run's own, where the resource lives in one. */
  readonly region?: string;
}

/**
 * One request to AWS and its answer: `input` and the answer are JSON as they cross
 * the wire (timestamps are seconds since the epoch), so that members which no SDK
 * knows yet pass in both directions. Nothing is retried. Rejects with the error of
 * the service: an `Error` whose `name` is AWS's error code (`ThrottlingException`),
 * with `$metadata.httpStatusCode`; see classify.ts for what it means.
 *
 * The seam under all of AWS: a test puts a world without HTTP in its place.
 */
export type AwsCall = (
  service: AwsService,
  operation: string,
  input: JsonObject,
  options?: AwsCallOptions,
) => Promise<JsonObject>;

/** A JSON object of any shape. */
export type JsonObject = { readonly [key: string]: unknown };
