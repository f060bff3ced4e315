import { once } from "node:events";
import { createServer } from "node:http";
import { createApp } from "../src/app.ts";
import { createLog } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import type { Readiness } from "../src/readiness.ts";
import type { StudentStore } from "../src/students/store.ts";

/** The app on a loopback port, without a database. */
export type TestServer = Readonly<{
  url: string;
  /** Parsed log lines so far. */
  lines: () => Record<string, unknown>[];
  close: () => Promise<void>;
}>;

/** Serves the app over a store and a readiness of the test's choice. */
export async function serveApp(
  store: StudentStore,
  readiness?: () => Promise<Readiness>,
): Promise<TestServer> {
  const written: string[] = [];
  const write = (line: string): void => void written.push(line);
  const app = createApp({
    students: store,
    readiness: readiness ?? (async () => ({ ready: true, migrations: 2 })),
    release: { name: "sample-app", version: "1.2.3", commit: "abc", release: "7-abc" },
    metrics: createMetrics([]),
    openapi: new URL("../openapi.json", import.meta.url),
    log: createLog({ level: "info", write, now: () => new Date(0) }),
    monotonicMs: () => 0,
  });
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    lines: () => written.map((line) => JSON.parse(line)),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sends JSON; text goes as it is. */
export function send(url: string, method: string, body: unknown): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, { method, body: text, headers: { "Content-Type": "application/json" } });
}

/** The body of an answer as an object. */
export async function json(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json();
  if (typeof body !== "object" || body === null) throw new Error(`not an object: ${JSON.stringify(body)}`);
  return { ...body };
}
