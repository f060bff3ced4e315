import { execute } from "../../../../lib/exec.ts";
import type { GitHubContext } from "../../../../lib/github-context.ts";
import type { Facts, KnownNames } from "../tags/facts.ts";
import { type Event, readEvent } from "./event.ts";

/** What the runner, the event and git tell of the commit. */
export interface Known {
  readonly facts: Facts;
  readonly event: Event;
  readonly names: Pick<KnownNames, "gitTags" | "branches">;
  /** Whether `facts.commitTime` is the commit's; else nobody knew it. */
  readonly isTimeKnown: boolean;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Asks git (two short programs) and the event's payload, and no API. `now` is in milliseconds. */
export async function lookAround(root: string, github: GitHubContext, env: Env, now: number): Promise<Known> {
  const event = readEvent(env["GITHUB_EVENT_PATH"]);
  const git = (...args: string[]) => askGit(root, env, args);
  const [commit, refs] = await Promise.all([
    readCommit(git, github.sha),
    git("for-each-ref", "--format=%(refname)"),
  ]);
  const lines = refs.split("\n").filter((line) => line !== "");
  const ref = refOf(github, event) || (await git("symbolic-ref", "-q", "HEAD"));
  const fromEvent = Date.parse(event.headCommitTime);
  const seconds = commit.seconds ?? (Number.isFinite(fromEvent) ? Math.floor(fromEvent / 1000) : undefined);
  return {
    event,
    isTimeKnown: seconds !== undefined,
    names: { gitTags: namesUnder("refs/tags/", lines), branches: branchesAmong(lines) },
    facts: {
      ref,
      eventName: github.eventName,
      sha: github.sha || commit.sha,
      baseRef: event.baseRef,
      defaultBranch: event.defaultBranch,
      now: new Date(now),
      commitTime: new Date((seconds ?? 0) * 1000),
    },
  };
}

/** A pull request's own ref: with `pull_request_target` the runner names the base branch. */
function refOf(github: GitHubContext, event: Event): string {
  const isTarget = github.eventName === "pull_request_target" && event.pullRequest !== "";
  return isTarget ? `refs/pull/${event.pullRequest}/merge` : github.ref;
}

type Git = (...args: string[]) => Promise<string>;

async function readCommit(git: Git, sha: string): Promise<{ sha: string; seconds: number | undefined }> {
  // A checkout of another commit than the event's has no object of that name.
  for (const name of [sha, "HEAD"].filter((candidate) => candidate !== "")) {
    const [found = "", seconds = ""] = (await git("log", "-1", "--format=%H %ct", name, "--")).split(" ");
    if (/^\d+$/.test(seconds)) return { sha: found, seconds: Number(seconds) };
  }
  return { sha: "", seconds: undefined };
}

/** What git printed, "" when it failed or is not there. It gets nothing of the step's inputs. */
async function askGit(root: string, env: Env, args: readonly string[]): Promise<string> {
  try {
    const { PATH, HOME } = env;
    const end = await execute({
      // A checkout of another user (a container's) is read all the same: nothing of it is run.
      argv: [
        "git",
        "-c",
        "safe.directory=*",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "log.showSignature=false",
        ...args,
      ],
      cwd: root,
      env: { PATH, HOME, LANG: "C.UTF-8", GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0" },
      timeoutMs: 30_000,
      keepBytes: 16 << 20,
    });
    return end.code === 0 ? end.stdout.trim() : "";
  } catch {
    return "";
  }
}

function namesUnder(prefix: string, refs: readonly string[]): string[] {
  return refs.filter((ref) => ref.startsWith(prefix)).map((ref) => ref.slice(prefix.length));
}

function branchesAmong(refs: readonly string[]): string[] {
  const remote = namesUnder("refs/remotes/", refs).map((name) => name.replace(/^[^/]+\//, ""));
  return [...new Set([...namesUnder("refs/heads/", refs), ...remote])].filter((name) => name !== "HEAD");
}
