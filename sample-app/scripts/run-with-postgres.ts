import { spawn } from "node:child_process";
import { startPrivatePostgres } from "./private-postgres.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a command and resolves with its exit code, 1 when a signal ended it. Signals to this process go on to
 * the command, so that what comes after it, such as stopping a server, still happens.
 */
export function runCommand(command: string, args: readonly string[], env: Environment): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit", env });
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, forward);
    const finish = (code: number): void => {
      for (const signal of SIGNALS) process.removeListener(signal, forward);
      resolve(code);
    };
    child.once("error", (error) => {
      console.error(`${command} cannot be started: ${error.message}`);
      finish(127);
    });
    child.once("exit", (code) => finish(code ?? 1));
  });
}

/** Runs a command beside a private PostgreSQL that is stopped afterwards, whatever happens. */
export async function runWithPostgres(
  command: string,
  args: readonly string[],
  env: Environment,
): Promise<number> {
  let interrupted = false;
  const note = (): void => {
    interrupted = true;
  };
  // Until the command runs nobody listens, and a signal would leave the server behind.
  for (const signal of SIGNALS) process.on(signal, note);
  try {
    const postgres = await startPrivatePostgres();
    try {
      if (interrupted) return 1;
      return await runCommand(command, args, { ...env, DATABASE_URL: undefined, ...postgres.env });
    } finally {
      await postgres.stop();
    }
  } catch (error) {
    console.error(`sample-app: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, note);
  }
}
