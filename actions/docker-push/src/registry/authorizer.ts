import { Failure, RemoteError } from "../../../../lib/errors.ts";
import { type Challenge, parseChallenge } from "./challenge.ts";
import { loginFailed, refusal, said } from "./failures.ts";
import { isLoopback } from "./names.ts";
import { isTransient, type RetryPorts, retried, retryAfterMs, Transient } from "./retry.ts";
import { type Answer, NetworkError, type Transport } from "./transport.ts";

/** What a registry is told about who we are; in memory only. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, as `docker login` keeps it for some registries. */
  | { readonly kind: "identity"; readonly token: string };

/** The right that a request needs. */
export interface Scope {
  readonly path: string;
  readonly push: boolean;
  /** A second repository to read from (a mount). */
  readonly from?: string;
}

interface Token {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** A registry has accepted it: a later 401 means that it has expired, not that it never was enough. */
  worked: boolean;
}

/** Tokens live at least this long, whatever they say: the specification's own default, seconds. */
const DEFAULT_LIFE_S = 60;

export interface AuthorizerOptions {
  /** As people write it, for messages. */
  readonly registry: string;
  readonly origin: string;
  readonly credentials: Credentials | undefined;
  readonly transport: Transport;
  readonly retry: RetryPorts;
  /** Told every token before its first use. */
  readonly mask: (secret: string) => void;
}

/** Turns challenges into Authorization headers: Basic, or Bearer with one token per scope. */
export class Authorizer {
  private readonly options: AuthorizerOptions;
  private challenge: Challenge | undefined;
  private readonly tokens = new Map<string, Promise<Token>>();
  /** A request has got through. */
  private proven = false;
  private proving: Promise<void> | undefined;
  private refused: Failure | undefined;

  constructor(options: AuthorizerOptions) {
    this.options = options;
  }

  /**
   * Waits until it is known that the login is good: before that, one request
   * goes alone, and when its login is refused the others fail with it. A wrong
   * password is so tried once, however much is done side by side. The function
   * returned ends the wait of the others.
   */
  async enter(): Promise<() => void> {
    while (this.proving) await this.proving;
    if (this.refused) throw this.refused;
    if (this.proven) return () => {};
    let release = () => {};
    this.proving = new Promise<void>((resolve) => {
      release = () => {
        this.proving = undefined;
        resolve();
      };
    });
    return release;
  }

  /** The header for this scope; undefined until the registry has told what it wants. */
  async header(scope: Scope, signal: AbortSignal): Promise<string | undefined> {
    if (!this.challenge) return undefined;
    if (this.challenge.scheme === "basic") return this.basic();
    const token = await this.token(scope, this.challenge, signal);
    return `Bearer ${token.value}`;
  }

  /** Notes that the registry took this header. */
  async accepted(header: string | undefined): Promise<void> {
    this.proven = true;
    if (header === undefined) return;
    const token = await this.tokenIn(header);
    if (token) token[1].worked = true;
  }

  /**
   * Judges a 401. Returns when another try with a new header makes sense: at
   * the first challenge, and once for a token that had worked before. Throws
   * LOGIN_FAILED or DENIED otherwise.
   */
  async rejected(answer: Answer, sent: string | undefined, what: string, scope: Scope): Promise<void> {
    const { registry, credentials } = this.options;
    const words = said(answer);
    if (sent === undefined) {
      this.challenge = parseChallenge(answer.headers["www-authenticate"] ?? "");
      if (!this.challenge) {
        const unknown = `${words}, with neither a Bearer nor a Basic challenge`;
        throw loginFailed(registry, unknown, credentials !== undefined);
      }
      if (this.challenge.scheme === "basic" && !credentials) throw loginFailed(registry, words, false);
      return;
    }
    if (sent.startsWith("Basic ")) {
      if (!this.proven) throw loginFailed(registry, words, true);
      throw refusal(answer, { registry, path: scope.path, what });
    }
    const token = await this.tokenIn(sent);
    // Another request has dropped this token already: its successor is tried.
    if (!token) return;
    if (token[1].worked) {
      this.tokens.delete(token[0]);
      return;
    }
    throw this.denied(answer, what, scope);
  }

  /** Notes why a request came to nothing: a refused login stays refused. */
  failed(error: unknown): void {
    if (error instanceof Failure && error.code === "LOGIN_FAILED") this.refused = error;
  }

  /** The failure when even a fresh token is refused. */
  denied(answer: Answer, what: string, scope: Scope): Failure {
    const { registry, credentials } = this.options;
    if (!credentials) return loginFailed(registry, said(answer), false);
    return refusal(answer, { registry, path: scope.path, what });
  }

  private basic(): string | undefined {
    const { credentials } = this.options;
    if (credentials?.kind === "identity") return basicOf("<token>", credentials.token);
    return credentials ? basicOf(credentials.username, credentials.password) : undefined;
  }

  private async tokenIn(header: string): Promise<[string, Token] | undefined> {
    for (const [key, promise] of this.tokens) {
      const token = await promise.catch(() => undefined);
      if (token && header === `Bearer ${token.value}`) return [key, token];
    }
    return undefined;
  }

  private async token(scope: Scope, challenge: Challenge & { scheme: "bearer" }, signal: AbortSignal) {
    // A token that may push may read too.
    const keys = scope.from
      ? [keyOf(scope)]
      : scope.push
        ? [keyOf(scope)]
        : [keyOf({ ...scope, push: true }), keyOf(scope)];
    for (const key of keys) {
      const asked = this.tokens.get(key);
      const known = await asked?.catch(() => undefined);
      if (known && known.expiresAt > this.options.retry.clock.now()) return known;
      if (this.tokens.get(key) === asked) this.tokens.delete(key);
    }
    const key = keyOf(scope);
    // Whoever needs it at the same time has asked already.
    const asked = this.tokens.get(key);
    if (asked) return asked;
    const fresh = this.fetchToken(scope, challenge, signal);
    this.tokens.set(key, fresh);
    fresh.catch(() => this.tokens.get(key) === fresh && this.tokens.delete(key));
    return fresh;
  }

  private async fetchToken(
    scope: Scope,
    challenge: Challenge & { scheme: "bearer" },
    signal: AbortSignal,
  ): Promise<Token> {
    const { registry, retry, transport, mask } = this.options;
    const url = this.realm(challenge.realm);
    const attempted = { what: "give a token", host: url.host, signal };
    const startedAt = retry.clock.now();
    const answer = await retried(attempted, retry, async () => {
      try {
        const result = await transport.send(this.tokenRequest(url, scope, challenge.service), signal);
        if (!isTransient(result.status)) return result;
        const after = retryAfterMs(result.headers["retry-after"], retry.clock.now());
        return new Transient(said(result), result.status === 429, after);
      } catch (error) {
        if (error instanceof NetworkError) return new Transient(error.message, false);
        throw error;
      }
    });
    if (answer.status === 403) {
      throw refusal(answer, { registry, path: scope.path, what: "get a token" });
    }
    if (answer.status >= 300) {
      throw loginFailed(registry, said(answer), this.options.credentials !== undefined);
    }
    const token = readToken(answer, url.host);
    mask(token.value);
    // Dropped a little before its time, so that it does not expire on its way.
    const lifeMs = token.lifeS * 1000;
    return {
      value: token.value,
      expiresAt: startedAt + lifeMs - Math.min(10_000, lifeMs / 10),
      worked: false,
    };
  }

  /** A password never travels in the clear to another machine, whatever the registry asks for. */
  private realm(text: string): URL {
    const { origin, registry } = this.options;
    let url: URL;
    try {
      url = new URL(text, origin);
    } catch {
      throw loginFailed(registry, `its token address \`${text}\` is no URL`, true);
    }
    if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.host))) return url;
    throw loginFailed(registry, `it sends the login to ${url.origin}, which is not encrypted`, true);
  }

  private tokenRequest(realm: URL, scope: Scope, service: string) {
    const { credentials } = this.options;
    const url = new URL(realm);
    const accept = { accept: "application/json" };
    if (credentials?.kind === "identity") {
      const form = new URLSearchParams({ grant_type: "refresh_token", service, client_id: "goci" });
      form.set("scope", scopesOf(scope).join(" "));
      form.set("refresh_token", credentials.token);
      const headers = { ...accept, "content-type": "application/x-www-form-urlencoded" };
      return { method: "POST", url, headers, body: Buffer.from(form.toString()), maxBytes: 1 << 20 } as const;
    }
    if (service !== "") url.searchParams.set("service", service);
    for (const item of scopesOf(scope)) url.searchParams.append("scope", item);
    const basic = this.basic();
    const headers = basic === undefined ? accept : { ...accept, authorization: basic };
    return { method: "GET", url, headers, maxBytes: 1 << 20 } as const;
  }
}

function basicOf(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function scopesOf(scope: Scope): string[] {
  const own = `repository:${scope.path}:${scope.push ? "pull,push" : "pull"}`;
  return scope.from === undefined ? [own] : [own, `repository:${scope.from}:pull`];
}

function keyOf(scope: Scope): string {
  return scopesOf(scope).join(" ");
}

function readToken(answer: Answer, host: string): { value: string; lifeS: number } {
  try {
    const body = JSON.parse(answer.body.toString("utf8")) as Record<string, unknown>;
    const value = body["token"] ?? body["access_token"];
    const life = body["expires_in"];
    if (typeof value === "string" && value !== "") {
      return { value, lifeS: typeof life === "number" && life > 0 ? life : DEFAULT_LIFE_S };
    }
  } catch {
    // Told below, like a JSON body without a token.
  }
  throw new RemoteError(`${host} answered the request for a token without one`, {
    code: "REGISTRY_UNAVAILABLE",
    fix: `check what answers at ${host}; a proxy may stand in its place`,
  });
}
