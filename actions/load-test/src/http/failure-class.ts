/** Why a request failed. The names appear in results and summaries. */
export type FailureClass =
  | "connect-refused"
  | "connect-failed"
  | "dns"
  | "tls"
  | "reset"
  | "closed"
  | "idle-closed"
  | "timeout"
  | "malformed"
  | "local-limit"
  | "http-4xx"
  | "http-5xx"
  | "unexpected-status"
  | "unexpected-body";

/** What each class means, for people. */
export const CLASS_TEXT: Readonly<Record<FailureClass, string>> = {
  "connect-refused": "connection refused",
  "connect-failed": "no connection",
  dns: "host name not resolved",
  tls: "TLS failed",
  reset: "connection reset before the answer was complete",
  closed: "connection closed before the answer was complete",
  "idle-closed": "kept-alive connection closed by the server as the request was sent",
  timeout: "no answer within request-timeout",
  malformed: "answer is not HTTP/1.1",
  "local-limit": "the load generator ran out of ports or files",
  "http-4xx": "HTTP 4xx",
  "http-5xx": "HTTP 5xx",
  "unexpected-status": "another status than expected",
  "unexpected-body": "body without the expected text",
};

/** These say nothing of the target: the machine that sends has no ports, files or memory left. */
const LOCAL = new Set(["EADDRNOTAVAIL", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** The class of a socket's error. `connected`: it happened behind the handshake. */
export function classOfSocketError(code: string, connected: boolean): FailureClass {
  if (LOCAL.has(code)) return "local-limit";
  if (code === "ECONNREFUSED") return "connect-refused";
  if (["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "ENODATA"].includes(code)) return "dns";
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|EPROTO)/.test(code))
    return "tls";
  return connected ? "reset" : "connect-failed";
}
