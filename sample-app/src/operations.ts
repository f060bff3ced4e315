import { readFileSync } from "node:fs";
import { type RequestHandler, Router } from "express";
import { METRICS_TYPE, type Metrics } from "./metrics.ts";
import { onlyMethods } from "./problem.ts";
import type { Readiness } from "./readiness.ts";
import type { Release } from "./release.ts";

/** What the routes for operators show. */
export type OperationsOptions = Readonly<{
  release: Release;
  readiness: () => Promise<Readiness>;
  metrics: Metrics;
  /** The API document; read on first use, most processes never need it. */
  openapi: URL;
}>;

/** `/`, `/healthz`, `/readyz`, `/version`, `/metrics` and `/openapi.json`. */
export function createOperationsRoutes(options: OperationsOptions): Router {
  const { release, metrics } = options;
  const router = Router();
  const get = (path: string, handler: RequestHandler) =>
    router.route(path).get(handler).all(onlyMethods("GET", "HEAD"));

  get("/", (_req, res) => {
    const links = ["/students", "/healthz", "/readyz", "/version", "/metrics", "/openapi.json"];
    res.json({ name: release.name, version: release.version, links });
  });
  // Alive says nothing about the database: restarting this process would not heal that.
  get("/healthz", (_req, res) => {
    res.json({ status: "ok" });
  });
  get("/readyz", async (_req, res) => {
    const state = await options.readiness();
    if (state.ready) res.json({ status: "ready", database: "reachable", migrations: state.migrations });
    else res.status(503).set("Retry-After", "1").json({ status: "unavailable", reason: state.reason });
  });
  get("/version", (_req, res) => {
    res.json({ ...release, node: process.version });
  });
  get("/metrics", (_req, res) => {
    // send() would sort the parameters of the type by its own taste.
    res.set("Content-Type", METRICS_TYPE).end(metrics.render());
  });
  let document: unknown;
  get("/openapi.json", (_req, res) => {
    document ??= readDocument(options.openapi, release.version);
    res.json(document);
  });
  return router;
}

function readDocument(file: URL, version: string): unknown {
  const document: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof document !== "object" || document === null) throw new Error("openapi.json holds no object");
  return { ...document, info: { ...Reflect.get(document, "info"), version } };
}
