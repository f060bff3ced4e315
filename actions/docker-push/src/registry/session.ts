import { RemoteError } from "../../../../lib/errors.ts";
import type { Authorizer, Scope } from "./authorizer.ts";
import { refusal, said } from "./failures.ts";
import { isLoopback } from "./names.ts";
import { isTransient, type RetryPorts, retried, retryAfterMs, Transient } from "./retry.ts";
import { type Answer, type Exchange, NetworkError, type RequestBody, type Transport } from "./transport.ts";

/** One request to the registry's API. */
export interface Call {
  readonly method: Exchange["method"];
  /** Below the origin (`/v2/...`), or a whole address (a Location). */
  readonly target: string;
  readonly scope: Scope;
  /** For the log and failures: `store the manifest of acme/api`. */
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | RequestBody;
  /** Longest answer that is read, bytes (default 4 MiB, what a manifest may have). */
  readonly maxBytes?: number;
  /** The registry may work on it for long (it stores gigabytes) before it answers. */
  readonly slow?: boolean;
}

export interface SessionOptions {
  /** As people write it. */
  readonly registry: string;
  readonly origin: string;
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  readonly retry: RetryPorts;
  readonly signal: AbortSignal;
}

/** A wrong certificate does not get better by itself. */
const UNTRUSTED = /CERT|SELF_SIGNED|VERIFY|ERR_TLS/;

const MAX_REDIRECTS = 5;

/** Requests to one registry: logged in, redirected and repeated as the rules say. */
export class Session {
  readonly options: SessionOptions;

  constructor(options: SessionOptions) {
    this.options = options;
  }

  /** The same session under another abort signal. */
  under(signal: AbortSignal): Session {
    return new Session({ ...this.options, signal });
  }

  /** The final answer, after as many tries as are allowed; a 401 never comes back (it throws). */
  call(call: Call): Promise<Answer> {
    return this.repeat(call.what, () => this.once(call));
  }

  /** The retry policy, for steps that are more than one request. */
  repeat<T>(what: string, attempt: (tried: number) => Promise<T | Transient>): Promise<T> {
    const { registry, signal, retry } = this.options;
    return retried({ what, host: registry, signal }, retry, attempt);
  }

  /** One try (with the login that it may need). */
  async once(call: Call): Promise<Answer | Transient> {
    const { registry, retry } = this.options;
    try {
      const answer = await this.authorized(call);
      if (!isTransient(answer.status)) return answer;
      const after = retryAfterMs(answer.headers["retry-after"], retry.clock.now());
      return new Transient(said(answer), answer.status === 429, after);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      if (!UNTRUSTED.test(error.code)) return new Transient(error.message, false);
      throw new RemoteError(`${registry} cannot be trusted: ${error.message}`, {
        code: "REGISTRY_UNAVAILABLE",
        fix: "name the registry's certificate authority in NODE_EXTRA_CA_CERTS on the runner",
        cause: error,
      });
    }
  }

  /** The failure for an answer that is none of those a caller can use. */
  refused(answer: Answer, call: Pick<Call, "scope" | "what">, tag?: string): RemoteError {
    const place = { registry: this.options.registry, path: call.scope.path, what: call.what };
    return refusal(answer, tag === undefined ? place : { ...place, tag });
  }

  /** The address of a Location or Link, below ours where it names our host (whatever scheme a proxy made of it). */
  resolve(location: string): URL {
    const origin = new URL(this.options.origin);
    const url = new URL(location, origin);
    if (url.hostname !== origin.hostname || (url.port !== "" && url.port !== origin.port)) return url;
    if (url.port !== origin.port && url.protocol === origin.protocol) return url;
    return new URL(`${origin.origin}${url.pathname}${url.search}`);
  }

  private async authorized(call: Call): Promise<Answer> {
    const { authorizer } = this.options;
    const leave = await authorizer.enter();
    try {
      return await this.challenged(call);
    } catch (error) {
      authorizer.failed(error);
      throw error;
    } finally {
      leave();
    }
  }

  private async challenged(call: Call): Promise<Answer> {
    const { authorizer, signal } = this.options;
    // The first answer may be a challenge, the second the refusal of an expired token; a third is final.
    for (let round = 1; ; round++) {
      const header = await authorizer.header(call.scope, signal);
      const answer = await this.follow(call, header);
      if (answer.status !== 401) {
        await authorizer.accepted(header);
        return answer;
      }
      if (round === 3) throw authorizer.denied(answer, call.what, call.scope);
      await authorizer.rejected(answer, header, call.what, call.scope);
    }
  }

  /** Follows redirects; whoever else they lead to gets no Authorization. */
  private async follow(call: Call, authorization: string | undefined): Promise<Answer> {
    const { transport, signal, origin } = this.options;
    const home = new URL(origin).origin;
    let url = this.resolve(call.target);
    for (let hop = 0; ; hop++) {
      const secret = authorization !== undefined && url.origin === home ? { authorization } : {};
      const answer = await transport.send(
        {
          method: call.method,
          url,
          headers: { ...call.headers, ...secret },
          maxBytes: call.maxBytes ?? 4 << 20,
          slow: call.slow ?? false,
          ...(call.body === undefined ? {} : { body: call.body }),
        },
        signal,
      );
      const location = answer.headers["location"];
      if (!isRedirect(answer.status, call.method) || !location) return answer;
      if (hop === MAX_REDIRECTS) throw new NetworkError("redirected too often", "ELOOP");
      const next = new URL(location, url);
      if (url.protocol === "https:" && next.protocol !== "https:" && !isLoopback(next.host)) {
        throw new NetworkError(`redirected to ${next.origin}, which is not encrypted`, "EPROTO");
      }
      url = next;
    }
  }
}

/** 301 and 302 ask a browser to turn a PUT into a GET; they count for reads only. */
function isRedirect(status: number, method: string): boolean {
  if (status === 307 || status === 308) return true;
  return [301, 302, 303].includes(status) && (method === "GET" || method === "HEAD");
}
