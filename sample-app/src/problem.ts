import type { ErrorRequestHandler, RequestHandler, Response } from "express";
import { classifyFailure } from "./database.ts";
import type { Log } from "./log.ts";

/** One thing wrong with one field of a request. */
export type FieldProblem = Readonly<{ field: string; message: string }>;

/** What the caller is told; the body follows RFC 9457 with a stable `code` beside it. */
export type ProblemOptions = Readonly<{
  status: number;
  code: string;
  detail: string;
  errors?: readonly FieldProblem[];
  headers?: Readonly<Record<string, string>>;
}>;

/** An answer other than success, thrown by a handler and written by {@link createErrorHandler}. */
export class Problem extends Error {
  readonly options: ProblemOptions;

  constructor(options: ProblemOptions, cause?: unknown) {
    super(options.detail, cause === undefined ? undefined : { cause });
    this.options = options;
  }
}

/** 400 with every field that is wrong. */
export function invalid(errors: readonly FieldProblem[]): Problem {
  const detail = errors.map((error) => error.message).join("; ");
  return new Problem({ status: 400, code: "INVALID", detail, errors });
}

/** 404 for a thing that is not there. */
export function notFound(detail: string): Problem {
  return new Problem({ status: 404, code: "NOT_FOUND", detail });
}

/** Handler that answers 405 and names the methods that the path has. */
export function onlyMethods(...methods: string[]): RequestHandler {
  const allow = methods.join(", ");
  return (req) => {
    const detail = `${req.method} is not possible here: allowed are ${allow}`;
    throw new Problem({ status: 405, code: "METHOD_NOT_ALLOWED", detail, headers: { Allow: allow } });
  };
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Writes a problem as the answer. */
export function sendProblem(res: Response, options: ProblemOptions): void {
  const { status, code, detail, errors } = options;
  const title = TITLES[status] ?? "Error";
  const body = { type: "about:blank", title, status, code, detail, ...(errors ? { errors } : {}) };
  res.status(status).set(options.headers ?? {});
  res.set("Content-Type", "application/problem+json; charset=utf-8");
  res.send(JSON.stringify({ ...body, requestId: res.locals["requestId"] }));
}

/** The one place where errors become answers: what is ours to hide is logged, what helps the caller is told. */
export function createErrorHandler(log: Log): ErrorRequestHandler {
  return (error: unknown, _req, res, _next) => {
    const problem = toProblem(error);
    if (problem.status >= 500) {
      const why = error instanceof Error ? (error.cause ?? error) : error;
      const fields = why instanceof Error ? { error: why.message, stack: why.stack } : { error: String(why) };
      log.error("request failed", { requestId: res.locals["requestId"], code: problem.code, ...fields });
    }
    // Half an answer cannot be taken back; cutting it tells the client that it is not whole.
    if (res.headersSent) res.destroy();
    else sendProblem(res, problem);
  };
}

function toProblem(error: unknown): ProblemOptions {
  if (error instanceof Problem) return error.options;
  const client = clientError(error);
  if (client) return client;
  const failure = classifyFailure(error);
  if (failure.kind === "unavailable") {
    const detail = "the database cannot serve this request right now: try again";
    return { status: 503, code: "DATABASE_UNAVAILABLE", detail, headers: { "Retry-After": "1" } };
  }
  return {
    status: 500,
    code: "INTERNAL",
    detail: "something went wrong here; the log has it under requestId",
  };
}

/** Errors of Express and its body parser carry a 4xx status and, when the text is fit for callers, `expose`. */
function clientError(error: unknown): ProblemOptions | undefined {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return undefined;
  const status = error.status;
  if (status < 400 || status > 499) return undefined;
  const type = "type" in error && typeof error.type === "string" ? error.type : "";
  if (type === "entity.parse.failed") {
    return { status, code: "INVALID_JSON", detail: `the body is not JSON: ${error.message}` };
  }
  if (type === "entity.too.large")
    return { status, code: "TOO_LARGE", detail: "the body is larger than 16 KB" };
  return { status, code: status === 415 ? "UNSUPPORTED_MEDIA_TYPE" : "BAD_REQUEST", detail: error.message };
}
