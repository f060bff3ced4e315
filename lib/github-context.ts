/** What the runner says of the run. Every field may be "" (act, laptops): nothing here is required. */
export interface GitHubContext {
  readonly repository: string;
  /** The repository's name without its owner. */
  readonly repositoryName: string;
  readonly sha: string;
  readonly ref: string;
  readonly refName: string;
  readonly eventName: string;
  readonly workflow: string;
  readonly job: string;
  readonly actor: string;
  readonly runId: string;
  readonly runNumber: number;
  /** From 1. */
  readonly runAttempt: number;
  /** The page of the run, "" when the repository or the run id is unknown. */
  readonly runUrl: string;
  readonly workspace: string;
  /** A folder that lives as long as the job. */
  readonly temp: string;
}

/** Reads the context from the runner's environment variables. */
export function readGitHubContext(env: Readonly<Record<string, string | undefined>>): GitHubContext {
  const repository = env["GITHUB_REPOSITORY"] ?? "";
  const runId = env["GITHUB_RUN_ID"] ?? "";
  const server = env["GITHUB_SERVER_URL"] || "https://github.com";
  return Object.freeze({
    repository,
    repositoryName: repository.split("/")[1] ?? "",
    sha: env["GITHUB_SHA"] ?? "",
    ref: env["GITHUB_REF"] ?? "",
    refName: env["GITHUB_REF_NAME"] ?? "",
    eventName: env["GITHUB_EVENT_NAME"] ?? "",
    workflow: env["GITHUB_WORKFLOW"] ?? "",
    job: env["GITHUB_JOB"] ?? "",
    actor: env["GITHUB_ACTOR"] ?? "",
    runId,
    runNumber: Number(env["GITHUB_RUN_NUMBER"]) || 0,
    runAttempt: Number(env["GITHUB_RUN_ATTEMPT"]) || 1,
    runUrl: repository && runId ? `${server}/${repository}/actions/runs/${runId}` : "",
    workspace: env["GITHUB_WORKSPACE"] || process.cwd(),
    temp: env["RUNNER_TEMP"] || env["TMPDIR"] || "/tmp",
  });
}
