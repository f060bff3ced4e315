import { messageOf } from "../../../../lib/errors.ts";
import { execute } from "../../../../lib/exec.ts";
import type { Credentials } from "../registry/authorizer.ts";

/** How long a helper may take, milliseconds; some ask a server. */
const PATIENCE_MS = 20_000;

/** What a helper answered: a login, none, or one line that says what is wrong with it. */
export type Helped =
  | { readonly kind: "login"; readonly login: Credentials }
  | { readonly kind: "none" }
  | { readonly kind: "broken"; readonly why: string };

/** What asking a helper needs. */
export interface HelperPorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** The user name that marks a refresh token. */
const TOKEN_USER = "<token>";

/**
 * Asks a credential helper for the login of one registry: `get`, the registry's
 * key on stdin, JSON on stdout.
 * https://github.com/docker/docker-credential-helpers#development
 */
export async function askHelper(name: string, authKey: string, ports: HelperPorts): Promise<Helped> {
  if (!/^[\w.-]+$/.test(name)) return { kind: "broken", why: `\`${name}\` is no name of a helper` };
  const program = `docker-credential-${name}`;
  try {
    const exit = await execute({
      argv: [program, "get"],
      env: childEnv(ports.env),
      stdin: `${authKey}\n`,
      timeoutMs: PATIENCE_MS,
      signal: ports.signal,
    });
    ports.signal.throwIfAborted();
    if (exit.timedOut) return broken(program, `gave no answer within ${PATIENCE_MS / 1000} s`);
    if (exit.code === 0) return readAnswer(program, exit.stdout);
    const words = firstLine(exit.stdout) || firstLine(exit.stderr);
    if (/credentials not found/i.test(words)) return { kind: "none" };
    return broken(program, `ended with code ${exit.code}${words === "" ? "" : `: ${words}`}`);
  } catch (error) {
    ports.signal.throwIfAborted();
    return broken(program, messageOf(error));
  }
}

/** A helper may need cloud credentials; the step's inputs and the runner's tokens are none of its business. */
function childEnv(env: HelperPorts["env"]): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !/^(INPUT_|STATE_|ACTIONS_)/.test(name)) passed[name] = value;
  }
  return passed;
}

function readAnswer(program: string, stdout: string): Helped {
  let answer: Readonly<Record<string, unknown>> = {};
  try {
    answer = Object(JSON.parse(stdout)) as typeof answer;
  } catch {
    // Its text is not shown: it may hold half of a secret.
  }
  const { Username: username, Secret: secret } = answer;
  if (typeof username !== "string" || typeof secret !== "string") return broken(program, "answered no login");
  if (secret === "") return { kind: "none" };
  if (username === TOKEN_USER) return { kind: "login", login: { kind: "identity", token: secret } };
  return { kind: "login", login: { kind: "password", username, password: secret } };
}

function broken(program: string, why: string): Helped {
  return { kind: "broken", why: `\`${program}\` ${why}` };
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]?.trim().slice(0, 300) ?? "";
}
