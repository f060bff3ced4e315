import type { RunContext } from "../action.ts";
import { Failure, messageOf } from "../errors.ts";
import type { GitHubContext } from "../github-context.ts";
import type { InputReader } from "../inputs.ts";

/** Where a deployment is recorded; undefined where nobody asked for a record. */
export interface RecordInputs {
  readonly environment: string;
  readonly token: string;
}

/** What is said of a deployment; GitHub shows the last one. */
type Status = "in_progress" | "success" | "failure" | "error";

type Ports = Pick<RunContext, "log" | "state"> & { readonly github: GitHubContext; readonly apiUrl: string };

/** The name under which an unfinished record is saved for the post step. */
const SAVED_AS = "github-deployment";

/** A record is a courtesy: the run never waits longer for one answer; milliseconds. */
const PATIENCE_MS = 5000;
/** After a cancel there is less time. */
const HASTE_MS = 1500;

/** GitHub cuts nothing off, it refuses. */
const LONGEST_DESCRIPTION = 140;

/** Reads `github-environment` and `github-token`. */
export function readRecord(read: InputReader): RecordInputs | undefined {
  const environment = read.text("github-environment");
  const token = read.secret("github-token");
  if (environment === "") return undefined;
  if (token === "") read.problem("`github-environment` needs `github-token`");
  return { environment, token };
}

/** Where GitHub's API is for this runner. */
export function apiUrlOf(env: Readonly<Record<string, string | undefined>>): string {
  return env["GITHUB_API_URL"] || "https://api.github.com";
}

/**
 * Runs `body` inside a GitHub deployment: in progress before, success or
 * failure after, with the line that says why. Whatever GitHub answers, the
 * result is the body's: a record that cannot be made is a warning.
 */
export async function recorded<T>(
  inputs: RecordInputs | undefined,
  ports: Ports & { readonly url: () => string; readonly signal: AbortSignal },
  body: () => Promise<T>,
): Promise<T> {
  if (!inputs) return await body();
  const id = await open(inputs, ports);
  if (id === undefined) return await body();
  try {
    const result = await body();
    await close(inputs, ports, id, "success", "", ports.url(), PATIENCE_MS);
    return result;
  } catch (error) {
    const status = error instanceof Failure ? "failure" : "error";
    const patience = ports.signal.aborted ? HASTE_MS : PATIENCE_MS;
    await close(inputs, ports, id, status, messageOf(error), "", patience);
    throw error;
  }
}

/** For the post step: closes the record of a step that was killed. */
export async function closeRecord(inputs: RecordInputs | undefined, ports: Ports): Promise<void> {
  const id = ports.state.load(SAVED_AS);
  if (!inputs || typeof id !== "number") return;
  await close(inputs, ports, id, "error", "the step was killed", "", PATIENCE_MS);
}

async function open(inputs: RecordInputs, ports: Ports): Promise<number | undefined> {
  return await attempt(ports, "recorded", async () => {
    const id = await create(inputs, ports);
    ports.state.save(SAVED_AS, id);
    await say(inputs, ports, id, "in_progress", "", "", PATIENCE_MS);
    return id;
  });
}

async function close(
  inputs: RecordInputs,
  ports: Ports,
  id: number,
  status: Status,
  description: string,
  url: string,
  patienceMs: number,
): Promise<void> {
  await attempt(ports, "closed", () => say(inputs, ports, id, status, description, url, patienceMs));
  ports.state.save(SAVED_AS, null);
}

async function attempt<T>(ports: Ports, verb: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    ports.log.warn(
      `the GitHub deployment could not be ${verb}: ${messageOf(error)} (the job needs \`permissions: deployments: write\`)`,
    );
    return undefined;
  }
}

async function create(inputs: RecordInputs, ports: Ports): Promise<number> {
  const { github } = ports;
  const answer = await request(inputs, ports, "POST /repos/{owner}/{repo}/deployments", PATIENCE_MS, {
    ref: github.sha,
    environment: inputs.environment,
    // The commit is deployed as it is, and what it must pass is the workflow's to say.
    auto_merge: false,
    required_contexts: [],
    description: `run ${github.runId}`,
  });
  const id = (answer as { id?: unknown } | null)?.id;
  if (typeof id !== "number")
    throw new Error("GitHub merged another branch instead of recording a deployment");
  return id;
}

async function say(
  inputs: RecordInputs,
  ports: Ports,
  id: number,
  state: Status,
  description: string,
  url: string,
  patienceMs: number,
): Promise<void> {
  const path = "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses";
  await request(inputs, ports, path, patienceMs, {
    deployment_id: id,
    state,
    description: description.slice(0, LONGEST_DESCRIPTION),
    ...(ports.github.runUrl === "" ? {} : { log_url: ports.github.runUrl }),
    ...(url === "" ? {} : { environment_url: url }),
  });
}

/** One call of GitHub's REST API. https://docs.github.com/en/rest/deployments */
async function request(
  inputs: RecordInputs,
  ports: Ports,
  path: string,
  patienceMs: number,
  parameters: Record<string, unknown>,
): Promise<unknown> {
  const [owner = "", repo = ""] = ports.github.repository.split("/");
  // Loaded here: most runs record nothing.
  const { getOctokit } = await import("@actions/github");
  const client = getOctokit(inputs.token, { baseUrl: ports.apiUrl });
  const signal = AbortSignal.timeout(patienceMs);
  const { data } = await client.request(path, { owner, repo, ...parameters, request: { signal } });
  return data;
}
