import { randomBytes } from "node:crypto";
import { artifactNameOf } from "../../../lib/github/artifacts.ts";
import type { GitHubContext } from "../../../lib/github-context.ts";
import type { InputReader } from "../../../lib/inputs.ts";
import { splitWords } from "../../../lib/words.ts";
import { matrixHash } from "./artifact-name.ts";
import { DATABASE_PARTS } from "./database/parts.ts";
import type { PlanInputs, Wanted } from "./plan.ts";

/** How the database is to be. */
export interface DatabaseInputs {
  readonly provider: "none" | "auto" | "preinstalled" | "embedded";
  readonly version: string;
  readonly name: string;
  readonly user: string;
  readonly password: string;
  readonly init: readonly string[];
  readonly settings: ReadonlyMap<string, string>;
  /** Variable name to part of the connection. */
  readonly env: ReadonlyMap<string, string>;
}

/** Percent; 0 is off. */
export interface CoverageInputs {
  /** Undefined: detected. `none`: not wanted. */
  readonly paths: readonly string[] | "none" | undefined;
  readonly minLine: number;
  readonly minBranch: number;
  readonly minFile: number;
  readonly exclude: readonly string[];
}

export interface ArtifactInputs {
  readonly paths: readonly string[];
  readonly name: string;
  readonly archive: boolean;
  readonly retentionDays: number;
  readonly ifEmpty: "error" | "warn" | "ignore";
}

/** When findings of a scanner fail the run. */
export interface SarifInputs {
  readonly paths: readonly string[];
  readonly failOn: "error" | "warning" | "note" | "none" | number;
}

export interface SlackInputs {
  readonly url: string;
  readonly on: "failure" | "always";
  readonly required: boolean;
}

/** Everything a run is told. */
export interface Inputs {
  readonly dryRun: boolean;
  readonly workingDirectory: string;
  readonly plan: Pick<PlanInputs, "language" | "packageManager" | "commands">;
  readonly cache: boolean;
  readonly database: DatabaseInputs;
  /** Undefined: detected. `none`: the tests write none. */
  readonly reportPaths: readonly string[] | "none" | undefined;
  readonly coverage: CoverageInputs;
  /** How often failed tests are run again. */
  readonly retries: number;
  readonly flakyBudget: number;
  readonly quarantineFile: string;
  readonly sarif: SarifInputs;
  /** Milliseconds. */
  readonly durationBudget: number | undefined;
  readonly artifact: ArtifactInputs;
  readonly annotations: boolean;
  readonly slack: SlackInputs;
}

/** Globs of test files, which are no code that a coverage gate is about. */
const TEST_FILES = [
  "**/*.test.*",
  "**/*.spec.*",
  "**/*_test.go",
  "**/test/**",
  "**/tests/**",
  "**/__tests__/**",
  "**/__mocks__/**",
];

/** Reads every input. Problems go to the reader. */
export function parseInputs(read: InputReader, github: GitHubContext): Inputs {
  refuseUnbuilt(read);
  return Object.freeze({
    dryRun: read.bool("dry-run", false),
    workingDirectory: read.text("working-directory", "."),
    plan: {
      language: read.enumeration("language", ["auto", "node", "go", "none"], "auto"),
      packageManager: read.enumeration("package-manager", ["auto", "npm", "yarn", "pnpm", "bun"], "auto"),
      commands: {
        install: readCommand(read, "install-command"),
        build: readCommand(read, "build-command"),
        test: readCommand(read, "test-command"),
      },
    },
    cache: read.bool("cache", true),
    database: parseDatabase(read),
    reportPaths: readPaths(read, "report-paths"),
    coverage: parseCoverage(read),
    retries: read.integer("retries", 0, { min: 0, max: 10 }),
    flakyBudget: read.integer("flaky-budget", 0, { min: 0 }),
    quarantineFile: read.text("quarantine-file"),
    sarif: parseSarif(read),
    durationBudget: read.optionalDuration("duration-budget", "s"),
    artifact: parseArtifact(read, github),
    annotations: read.bool("annotations", true),
    slack: parseSlack(read),
  });
}

/** Values of the contract that are for a later version. */
function refuseUnbuilt(read: InputReader): void {
  const diff = read.number("coverage-min-diff", 0, { min: 0, max: 100 });
  if (diff > 0) read.refuse("coverage-min-diff", String(diff), "leave it at `0`");
  for (const name of ["pr-comment", "check-run"]) {
    if (read.bool(name, false)) read.refuse(name, "true", "the job summary holds the same");
  }
  // Only those two would use it; it is masked all the same.
  read.secret("github-token");
}

function readCommand(read: InputReader, name: string): Wanted {
  const line = read.text(name);
  if (line === "") return undefined;
  if (line === "none") return "none";
  const words = splitWords(line);
  if (words.ok) return words.words;
  read.problem(`\`${name}\` is \`${line}\`: ${words.problem}`);
  return undefined;
}

function readPaths(read: InputReader, name: string): readonly string[] | "none" | undefined {
  const paths = read.list(name);
  if (paths.length === 0) return undefined;
  return paths.length === 1 && paths[0] === "none" ? "none" : paths;
}

function parseDatabase(read: InputReader): DatabaseInputs {
  const provider = read.enumeration(
    "database",
    ["none", "auto", "preinstalled", "docker", "embedded"],
    "none",
  );
  if (provider === "docker") read.refuse("database", "docker", "use `auto`, `preinstalled` or `embedded`");
  const version = read.text("database-version", "any", {
    pattern: /^(any|\d+)$/,
    allowed: "`any` or a major version such as `16`",
  });
  const settings = read.map("database-settings");
  for (const name of settings.keys()) {
    if (!/^[a-z_][\w.]*$/i.test(name))
      read.problem(`\`database-settings\` names \`${name}\`: that is no name of a server setting`);
  }
  const env = read.map("database-env");
  for (const [name, part] of env) {
    if (DATABASE_PARTS.some((known) => known === part.trim())) continue;
    const allowed = DATABASE_PARTS.map((known) => `\`${known}\``).join(", ");
    read.problem(`\`database-env\` gives \`${name}\` the part \`${part}\`: allowed is ${allowed}`);
  }
  return {
    provider: provider === "docker" ? "auto" : provider,
    version,
    name: readName(read, "database-name", /[\0\r\n]/),
    user: readName(read, "database-user", /["'$\\\0\r\n]/),
    password: readPassword(read),
    init: read.list("database-init"),
    settings,
    env,
  };
}

/** `strange` are characters that it must not hold: initdb itself stumbles over those of a user's name. */
function readName(read: InputReader, name: string, strange: RegExp): string {
  const value = read.text(name, "app");
  const isGood = Buffer.byteLength(value) <= 63 && !value.startsWith("pg_") && !strange.test(value);
  const allowed = "allowed are at most 63 bytes without quotes, `$` and `\\`, not starting with `pg_`";
  if (!isGood) read.problem(`\`${name}\` is \`${value}\`: ${allowed}`);
  return value;
}

/** A random password is a secret like a given one; the reader masks what the environment holds. */
function readPassword(read: InputReader): string {
  const given = read.secret("database-password");
  if (/[\0\r\n]/.test(given)) read.problem("`database-password` holds a line end: a password is one line");
  return given || randomBytes(24).toString("base64url");
}

function parseCoverage(read: InputReader): CoverageInputs {
  const percent = { min: 0, max: 100 };
  return {
    paths: readPaths(read, "coverage-paths"),
    minLine: read.number("coverage-min-line", 80, percent),
    minBranch: read.number("coverage-min-branch", 0, percent),
    minFile: read.number("coverage-min-file", 0, percent),
    exclude: read.list("coverage-exclude", { fallback: TEST_FILES }),
  };
}

function parseSarif(read: InputReader): SarifInputs {
  const paths = read.list("sarif-paths");
  const text = read.text("sarif-fail-on", "error");
  const level = (["error", "warning", "note", "none"] as const).find((known) => known === text);
  if (level) return { paths, failOn: level };
  const severity = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && severity <= 10) return { paths, failOn: severity };
  read.problem(
    `\`sarif-fail-on\` is \`${text}\`: allowed is \`error\`, \`warning\`, \`note\`, \`none\` or a severity from 0 to 10`,
  );
  return { paths, failOn: "error" };
}

function parseArtifact(read: InputReader, github: GitHubContext): ArtifactInputs {
  const matrix = read.text("matrix", MATRIX);
  const repository = github.repositoryName || "repository";
  const fallback = [
    repository,
    github.job || "job",
    matrixHash(matrix === MATRIX ? "" : matrix),
    String(github.runAttempt),
  ].join("-");
  const name = read.text("artifact-name");
  if (name !== "" && artifactNameOf(name) !== name) {
    read.problem(
      `\`artifact-name\` is \`${name}\`: not allowed are \`" * / : < > ? \\ |\`, and more than 200 characters`,
    );
  }
  return {
    paths: read.list("artifact-paths"),
    name: artifactNameOf(name || fallback),
    archive: read.bool("artifact-archive", true),
    retentionDays: read.optionalNumber("artifact-retention-days", { min: 1, max: 400, integer: true }) ?? 0,
    ifEmpty: read.enumeration("artifact-if-empty", ["error", "warn", "ignore"], "error"),
  };
}

/** As action.yml writes the default: a runner replaces it, and one that does not has no matrix. */
const MATRIX = "$" + "{{ toJSON(matrix) }}";

function parseSlack(read: InputReader): SlackInputs {
  const url = read.secret("slack-webhook-url").trim();
  if (url !== "" && !/^https?:\/\/\S+$/.test(url))
    read.problem("`slack-webhook-url` is not a URL (its value is a secret and not shown)");
  const on = read.enumeration("slack-on", ["failure", "always", "change"], "failure");
  if (on === "change") read.refuse("slack-on", "change", "use `failure` or `always`");
  return { url, on: on === "always" ? "always" : "failure", required: read.bool("slack-required", false) };
}
