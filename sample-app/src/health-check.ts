import { get } from "node:http";
import type { Environment } from "./config.ts";
import { type Parsed, parsePort } from "./database-url.ts";

const TIMEOUT_MS = 3_000;

/** Where the service of the same environment answers from inside its machine or container. */
export function ownUrl(env: Environment, path: string): Parsed<URL> {
  const port = parsePort("`PORT`", env["PORT"] || "8000", 1);
  if (!port.ok) return port;
  const bound = env["BIND_ADDRESS"];
  const host = !bound || bound === "0.0.0.0" || bound === "::" ? "127.0.0.1" : bound;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port.value}${path}`;
  if (!path.startsWith("/") || !URL.canParse(url)) {
    return { ok: false, problems: [`"${path}" is no path: write it as /healthz or /readyz`] };
  }
  return { ok: true, value: new URL(url) };
}

/**
 * Asks the running service once: "" when it answers 2xx within 3 s, else why not. Images without a shell
 * or curl have nothing else to ask with. Not `fetch`: loading it costs more than the rest of the check.
 */
export function checkHealth(url: URL, timeoutMs = TIMEOUT_MS): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: timeoutMs, agent: false }, (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 300 ? "" : `${url.href} answers ${status}`);
    });
    request.once("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.once("error", (error) => resolve(`${url.href}: ${error.message}`));
  });
}
