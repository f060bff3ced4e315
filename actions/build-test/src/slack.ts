import type { RunContext } from "../../../lib/action.ts";
import { Failure, messageOf } from "../../../lib/errors.ts";
import type { SlackInputs } from "./inputs.ts";

const TRIES = 3;
const TRY_TIMEOUT_MS = 10_000;
const BACKOFF_MS = 1000;
const LONGEST_WAIT_MS = 10_000;

/** What is told to Slack. */
export interface SlackNews {
  readonly isGreen: boolean;
  /** One line. */
  readonly text: string;
}

/**
 * Sends the verdict to an incoming webhook. At most three tries; none after an
 * answer that may mean that the message was taken. A message that could not be
 * sent is a warning, or with `slack-required` the failure `SLACK_FAILED`.
 */
export async function tellSlack(inputs: SlackInputs, news: SlackNews, context: RunContext): Promise<void> {
  if (inputs.url === "" || (news.isGreen && inputs.on !== "always")) return;
  const problem = await send(inputs.url, news.text, context);
  if (problem === "") return context.log.info("Slack: told");
  const message = `Slack could not be told: ${problem}`;
  if (!inputs.required) return context.log.warn(message);
  throw new Failure(message, {
    code: "SLACK_FAILED",
    fix: "check `slack-webhook-url`, or set `slack-required` to `false`",
  });
}

/** "" when it was sent, else why not. The URL is a secret and in no message. */
async function send(url: string, text: string, context: RunContext): Promise<string> {
  let problem = "";
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    if (context.signal.aborted) return "the run was cancelled";
    let waitMs = BACKOFF_MS * attempt;
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ text: escapeSlack(text) }),
        redirect: "error",
        signal: AbortSignal.timeout(TRY_TIMEOUT_MS),
      });
      if (answer.ok) return "";
      problem = `it answered ${answer.status} ${(await answer.text()).slice(0, 100)}`.trim();
      if (answer.status !== 429 && answer.status < 500) return problem;
      waitMs = Math.min(LONGEST_WAIT_MS, Number(answer.headers.get("retry-after")) * 1000 || waitMs);
    } catch (error) {
      problem = `${messageOf(error)}${error instanceof Error && error.cause ? `: ${messageOf(error.cause)}` : ""}`;
      // The request may have arrived: a second one could be a second message.
      if (error instanceof Error && error.name === "TimeoutError") return "no answer within 10 s";
      if (!neverArrived(error)) return problem;
    }
    if (attempt < TRIES) await context.clock.sleep(waitMs, context.signal).catch(() => {});
  }
  return problem;
}

/** Names of tests are not ours: `<!channel>` in one must not call everybody. https://docs.slack.dev/messaging/formatting-message-text */
function escapeSlack(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/** Whether no connection was made at all. */
function neverArrived(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  return /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(code);
}
