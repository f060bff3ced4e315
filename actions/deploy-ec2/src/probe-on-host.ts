import type { HealthCheck } from "../../../lib/health.ts";
import type { ProbeAnswer } from "../../../lib/http.ts";
import { type CallResult, quote } from "./shell.ts";

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, RFC 4254 section 5.1: sshd has AllowTcpForwarding off. */
const PROHIBITED = 1;

/** Whether a channel was refused because the host forbids forwarding, not because nobody listens. */
export function isForbidden(error: unknown): boolean {
  return error instanceof Error && "reason" in error && error.reason === PROHIBITED;
}

/** One GET by the host's curl. Headers reach it on stdin, since its arguments are for everyone to read. */
export async function probeOnHost(
  run: (script: string) => Promise<CallResult>,
  check: HealthCheck,
  port: number,
): Promise<ProbeAnswer> {
  const startedAt = performance.now();
  const seconds = Math.max(1, Math.ceil(check.requestTimeoutMs / 1000));
  const settings = [
    `url = "http://127.0.0.1:${port}${quoted(check.path)}"`,
    ...[...check.headers].map(([name, value]) => `header = "${quoted(`${name}: ${value}`)}"`),
  ].join("\n");
  const script = [
    "command -v curl >/dev/null 2>&1 || exit 127",
    `printf '%s\\n' ${quote(settings)} | curl -K - -s -S -m ${seconds} --max-filesize 1000000 -w '\\n%{http_code}'`,
  ].join("\n");
  const result = await run(script);
  const ms = performance.now() - startedAt;
  if (result.code === 127) {
    const message =
      "the host forbids TCP forwarding and has no curl: allow AllowTcpForwarding, or install curl";
    return { kind: "error", code: "NO_TUNNEL", message, ms };
  }
  const cut = result.stdout.lastIndexOf("\n");
  const status = Number(result.stdout.slice(cut + 1).trim());
  if (result.code !== 0 || status < 100) {
    return {
      kind: "error",
      code: "CURL",
      message: result.stderr || `curl ended with exit code ${result.code}`,
      ms,
    };
  }
  return { kind: "response", status, headers: {}, body: result.stdout.slice(0, cut), ms };
}

/** For a quoted value of curl's configuration. */
function quoted(text: string): string {
  return text.replace(/[\\"]/g, "\\$&");
}
