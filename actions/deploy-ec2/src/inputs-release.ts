import { isAbsolute, normalize, resolve } from "node:path";
import type { GitHubContext } from "../../../lib/github-context.ts";
import type { InputReader } from "../../../lib/inputs.ts";
import type { Mask } from "../../../lib/mask.ts";
import { readEnvironment } from "./environment-file.ts";

/** What is deployed and where it goes. */
export interface ReleaseInputs {
  /** Absolute. */
  readonly workingDirectory: string;
  readonly source: readonly string[];
  readonly artifactName: string;
  readonly artifactDigest: string;
  readonly stripComponents: number;
  readonly exclude: readonly string[];
  readonly appName: string;
  /** Absolute path on the host. */
  readonly target: string;
  readonly release: string;
  /** Whether `release` was given, not made up. */
  readonly releaseGiven: boolean;
  readonly sharedPaths: readonly string[];
  readonly executable: readonly string[];
  readonly keepReleases: number;
  readonly compression: "auto" | "gzip" | "zstd" | "none";
  readonly delta: boolean;
  readonly force: boolean;
}

/** How the service is run. */
export interface ServiceInputs {
  readonly environment: ReadonlyMap<string, string>;
  readonly command: string;
  readonly appPort: number;
  readonly manager: "auto" | "systemd" | "systemd-user" | "nohup";
  /** "" means the login's user. */
  readonly user: string;
  readonly sudo: "auto" | "never" | "always";
  /** Seconds, at least 1: the host's clock knows no less. */
  readonly stopSeconds: number;
  readonly beforeSwitch: string;
  readonly afterSwitch: string;
}

/** Patterns that are never sent unless `exclude` says otherwise. */
const EXCLUDED = ["postgres-data", ".git", "node_modules/.cache"];
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;
const NAME_RULE = "letters, digits, `.`, `_`, `-`, at most 64, not starting with `.` or `-`";

/** Reads what is deployed and where it goes. */
export function readRelease(read: InputReader, github: GitHubContext, action: string): ReleaseInputs {
  const appName = read.text("app-name", "", { pattern: NAME, allowed: NAME_RULE });
  const name = appName || github.repositoryName.replace(/[^A-Za-z0-9._-]/g, "-") || "app";
  const source = read.list("source", { commas: true });
  const artifactName = read.text("artifact-name");
  if (action === "deploy" && source.length === 0 && artifactName === "")
    read.problem("`source` is required (or `artifact-name`): what is to be deployed");
  const release = read.text("release", "", { pattern: NAME, allowed: NAME_RULE });
  const sharedPaths = read
    .list("shared-paths", { commas: true })
    .map((path) => relative(read, "shared-paths", path));
  return {
    workingDirectory: resolve(github.workspace, read.text("working-directory", ".")),
    source,
    artifactName,
    artifactDigest: read.text("artifact-digest", "", {
      pattern: /^sha256:[0-9a-f]{64}$/i,
      allowed: "`sha256:` and 64 hexadecimal digits",
    }),
    stripComponents: read.integer("strip_components", 0, { min: 0, max: 100 }),
    exclude: read.list("exclude", { fallback: EXCLUDED }),
    appName: name,
    target: readTarget(read, name),
    release: release || defaultRelease(github),
    releaseGiven: release !== "",
    sharedPaths,
    executable: read.list("executable", { commas: true }).map((path) => relative(read, "executable", path)),
    keepReleases: read.integer("keep-releases", 5, { min: 1, max: 1000 }),
    compression: read.enumeration("compression", ["auto", "gzip", "zstd", "none"], "auto"),
    delta: read.bool("delta", true),
    force: read.bool("force", false),
  };
}

/** `<run number>-<short sha>`, from the second attempt on with the attempt, so that a re-run has a name of its own. */
function defaultRelease(github: GitHubContext): string {
  const base = `${github.runNumber}-${github.sha.slice(0, 7) || "local"}`;
  return github.runAttempt > 1 ? `${base}-${github.runAttempt}` : base;
}

function readTarget(read: InputReader, name: string): string {
  const target = read.text("target") || `/opt/${name}`;
  const clean = normalize(target).replace(/\/+$/, "");
  const bad =
    !isAbsolute(target) || clean === "" || target.split("/").includes("..") || !/^[\w./@+:-]+$/.test(target);
  if (bad)
    read.problem(`\`target\` is \`${target}\`: allowed is an absolute path below \`/\` without \`..\``);
  return clean;
}

/** A path inside of the release. */
function relative(read: InputReader, input: string, path: string): string {
  const clean = normalize(path).replace(/\/+$/, "").replace(/^\.\//, "");
  if (isAbsolute(path) || clean === "." || clean.split("/").includes("..") || /\p{Cc}/u.test(path))
    read.problem(`\`${input}\` is \`${path}\`: allowed is a path inside of the release`);
  return clean;
}

/** Reads how the service is run. */
export function readService(read: InputReader, mask: Mask): ServiceInputs {
  const environment = readEnvironment(read, mask);
  const appPort = read.integer("app-port", 8000, { min: 1, max: 65_535 });
  const port = environment.get("PORT");
  if (port !== undefined && port !== String(appPort))
    read.problem(
      `\`environment-variables\` has PORT=${port} and \`app-port\` is \`${appPort}\`: leave PORT out`,
    );
  const command = read.text("command", "./main");
  if (/[\r\n]/.test(command))
    read.problem("`command` has several lines: put them in a script of the release");
  const user = read.text("service-user", "", { pattern: /^[a-z_][a-z0-9_.-]*\$?$/i, allowed: "a user name" });
  return {
    environment,
    command,
    appPort,
    manager: read.enumeration("service-manager", ["auto", "systemd", "systemd-user", "nohup"], "auto"),
    user,
    sudo: read.enumeration("sudo", ["auto", "never", "always"], "auto"),
    stopSeconds: Math.max(1, Math.ceil(read.duration("stop-timeout", "10s", "s", { min: 0 }) / 1000)),
    beforeSwitch: read.verbatim("before-switch").trim(),
    afterSwitch: read.verbatim("after-switch").trim(),
  };
}
