import type { JsonObject } from "./call.ts";

/*
 * The SDK sends and hands out only the members that its version knows, and drops
 * the rest without a word. Here the body that it wrote is replaced by our own
 * before it is signed, and the answer's text is taken before it is parsed: what AWS
 * invents tomorrow passes in both directions, and a request holds what was asked
 * and not a byte more.
 */

/** The parts of an SDK command's middleware stack that are used here. */
export interface MiddlewareStack {
  add(
    middleware: unknown,
    options: { step: string; priority?: string; name: string; override: boolean },
  ): void;
}

interface HttpMessage {
  statusCode?: number;
  headers: Record<string, string>;
  body?: unknown;
}

type Next = (args: { request: HttpMessage }) => Promise<{ response: HttpMessage; output?: unknown }>;

/** Makes a command send `body`, where it sends one at all. */
export function sendRaw(stack: MiddlewareStack, body: JsonObject): void {
  const text = JSON.stringify(body);
  const replace = (next: Next) => async (args: { request: HttpMessage }) => {
    const { request } = args;
    if (request.body === undefined || request.body === null || request.body === "") return next(args);
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => name.toLowerCase() !== "content-length"),
    );
    Object.assign(request, { headers, body: text });
    return next(args);
  };
  // Before the length of the body is counted (same step, normal priority) and before it is signed.
  stack.add(replace, { step: "build", priority: "high", name: "gociSendRaw", override: true });
}

/** What came back, once it has. */
export interface RawAnswer {
  /** The text of a good answer, where it was to be taken. */
  text: string | undefined;
  /** The connection's own error, which the SDK may wrap beyond recognition. */
  broken: unknown;
}

/** Takes the text of a good answer (`take`); a refusal is left for the SDK to turn into its error. */
export function keepRaw(stack: MiddlewareStack, take: boolean): RawAnswer {
  const answer: RawAnswer = { text: undefined, broken: undefined };
  const keep = (next: Next) => async (args: { request: HttpMessage }) => {
    try {
      const result = await next(args);
      const { response } = result;
      if (take && response.statusCode !== undefined && response.statusCode < 300) {
        answer.text = await textOf(response.body);
        response.body = new TextEncoder().encode("{}");
      }
      return result;
    } catch (error) {
      answer.broken = error;
      throw error;
    }
  };
  // The innermost of its step: sees the answer before the SDK's own parser.
  stack.add(keep, { step: "deserialize", priority: "low", name: "gociKeepRaw", override: true });
  return answer;
}

async function textOf(body: unknown): Promise<string> {
  if (typeof body === "string") return body;
  const parts: Buffer[] = [];
  for await (const part of body as AsyncIterable<Buffer>) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString("utf8");
}
