import { type Clock, systemClock } from "./clock.ts";
import { Failure, messageOf } from "./errors.ts";
import { type GitHubContext, readGitHubContext } from "./github-context.ts";
import { InputReader, inputTexts } from "./inputs.ts";
import { type Log, RunnerLog } from "./log.ts";
import { Mask } from "./mask.ts";
import { runnerState, type State } from "./state.ts";
import { prepareYaml } from "./yaml.ts";

/** What a post step has: a fresh process, the same inputs, and only the saved state. */
export interface PostContext {
  readonly log: Log;
  readonly clock: Clock;
  /** Aborted on SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  readonly mask: Mask;
  readonly state: State;
  readonly github: GitHubContext;
  readonly read: InputReader;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a post step. It must be idempotent: the main step may have been killed
 * anywhere, or have done the work itself. Only a `Failure` (something is left
 * that a person must see to) turns it red; anything else is a warning, since
 * the job's verdict has already been given.
 */
export async function runPost(name: string, run: (context: PostContext) => Promise<void>): Promise<void> {
  const mask = new Mask();
  const log = new RunnerLog(mask, (text) => process.stdout.write(text), process.env["RUNNER_DEBUG"] === "1");
  const cancel = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => cancel.abort());
  let exitCode = 0;
  try {
    await prepareYaml(inputTexts(process.env));
    const work = run({
      log,
      clock: systemClock,
      signal: cancel.signal,
      mask,
      state: runnerState,
      github: readGitHubContext(process.env),
      read: new InputReader(process.env, mask),
      env: process.env,
    });
    await Promise.race([work, lostWork()]);
  } catch (error) {
    if (error instanceof Failure) {
      log.annotate({
        level: "error",
        title: `${name} (clean-up): ${error.code}`,
        message: error.fix ? `${error.message}. To fix: ${error.fix}` : error.message,
      });
      for (const line of error.evidence) log.info(`  ${line}`);
      exitCode = 1;
    } else {
      log.warn(`${name}: clean-up did not finish: ${messageOf(error)}`);
    }
  }
  process.exit(exitCode);
}

/** Rejects when an error escapes every promise chain, or when the work waits for what can no longer happen. */
function lostWork(): Promise<never> {
  return new Promise((_resolve, reject) => {
    process.on("uncaughtException", reject);
    process.on("unhandledRejection", reject);
    process.on("beforeExit", () => reject(new Error("the work stopped without an end")));
  });
}
