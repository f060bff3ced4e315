import { randomUUID } from "node:crypto";
import type { Request, RequestHandler, Response } from "express";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** nginx's number for a client that went away before the answer was whole. */
const CLIENT_CLOSED = 499;

/**
 * One log line and one count a request, at the end of the answer or of the connection.
 * `monotonicMs` is the clock that durations are taken from.
 */
export function createRequestLog(log: Log, metrics: Metrics, monotonicMs: () => number): RequestHandler {
  return (req, res, next) => {
    const start = monotonicMs();
    const sent = req.headers["x-request-id"];
    // Taken over only in a form that cannot forge a log line or a header.
    const requestId = typeof sent === "string" && REQUEST_ID.test(sent) ? sent : randomUUID();
    res.locals["requestId"] = requestId;
    res.setHeader("X-Request-Id", requestId);
    metrics.begin();
    res.once("close", () => {
      const ms = monotonicMs() - start;
      const status = res.writableFinished ? res.statusCode : CLIENT_CLOSED;
      const route = routeOf(req);
      metrics.end({ method: req.method, route, status }, ms / 1000);
      log.info("request", {
        requestId,
        method: req.method,
        path: loggedPath(req, route),
        route,
        status,
        ms: Math.round(ms * 1000) / 1000,
        bytes: bytesOf(res),
      });
    });
    next();
  };
}

/** The pattern that answered, such as `/students/:id`; Express sets it while it routes. */
function routeOf(req: Request): string {
  const path: unknown = req.route?.path;
  return typeof path === "string" ? path : "unmatched";
}

/** Document numbers are personal data and queries may hold anything, so neither reaches the log. */
function loggedPath(req: Request, route: string): string {
  if (route.includes(":document")) return route;
  return req.originalUrl.split("?", 1)[0]?.slice(0, 200) ?? "";
}

function bytesOf(res: Response): number {
  const length = Number(res.getHeader("content-length"));
  return Number.isFinite(length) ? length : 0;
}
