import express, { type Express } from "express";
import { createGreetingRoutes } from "./greeting.ts";
import type { Log } from "./log.ts";
import { createOperationsRoutes, type OperationsOptions } from "./operations.ts";
import { createErrorHandler, notFound } from "./problem.ts";
import { createRequestLog } from "./request-log.ts";
import { createStudentRoutes } from "./students/routes.ts";
import type { StudentStore } from "./students/store.ts";

/** Everything the HTTP side needs, none of it global. */
export type AppOptions = OperationsOptions &
  Readonly<{ students: StudentStore; log: Log; monotonicMs: () => number }>;

/** Puts the routes together; the greeting comes last because it matches every name. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  // Records change under the caller and probes want the truth: nothing here is worth a hash an answer.
  app.disable("etag");
  app.use(createRequestLog(options.log, options.metrics, options.monotonicMs));
  app.use((_req, res, next) => {
    res.setHeader("Cache-Control", "no-store");
    res.setHeader("X-Content-Type-Options", "nosniff");
    next();
  });
  app.use(createOperationsRoutes(options));
  app.use(createStudentRoutes(options.students));
  app.use(createGreetingRoutes());
  app.use((req) => {
    throw notFound(`there is no ${req.path.slice(0, 100)} here; /openapi.json lists what there is`);
  });
  app.use(createErrorHandler(options.log));
  return app;
}
