type Env = Readonly<Record<string, string | undefined>>;

/**
 * Variables that belong to this step alone: its inputs (some are secrets), its
 * state, and the runner's files and tokens, through which a test could forge
 * our outputs or what the post step does.
 */
const PRIVATE =
  /^(INPUT_|STATE_|GITHUB_(OUTPUT|STATE|ENV|PATH)$|ACTIONS_(RUNTIME_TOKEN|RUNTIME_URL|RESULTS_URL|CACHE_URL|ID_TOKEN_REQUEST_TOKEN|ID_TOKEN_REQUEST_URL)$)/;

/** The environment of the project's own commands. */
export function childEnv(env: Env, extra: Env = {}): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(([name]) => !PRIVATE.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

/**
 * NODE_OPTIONS with which `node --test` runs a reporter (a module's URL) beside its usual output.
 * Node passes over these options wherever it does not run tests.
 * https://nodejs.org/api/cli.html#node_optionsoptions
 */
export function nodeTestOptions(before: string | undefined, reporter: string): string {
  const reporters = [
    "--test-reporter=spec --test-reporter-destination=stdout",
    // A URL holds no spaces, quotes or backslashes, which NODE_OPTIONS would need escaped.
    `--test-reporter=${reporter} --test-reporter-destination=stdout`,
  ];
  return [before ?? "", ...reporters].filter((part) => part !== "").join(" ");
}
