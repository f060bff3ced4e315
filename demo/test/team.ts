import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { freePort } from "../../lib/testing/sshd.ts";
import { type ActResult, startAct } from "../act.ts";
import { commitAll, publishGoci, standIns } from "../project.ts";

const CHECKOUT = resolve(import.meta.dirname, "../..");

/** A project of few files: one test, and what a job may make an artifact or an image of. */
const PROJECT: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ type: "module", scripts: { test: "node --test" } }),
  "one.test.js": 'import test from "node:test";\ntest("one", () => {});\n',
  "made.txt": "made\n",
  Dockerfile: "FROM scratch\nCOPY made.txt /\n",
};

/** How a job is called: what differs from one call to the next. */
export interface Call {
  /** Lines of a dotenv file. */
  readonly secrets?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Files of the project, over those that it has anyway. */
  readonly files?: Readonly<Record<string, string>>;
  /** Jobs beside `called`. */
  readonly jobs?: Readonly<Record<string, unknown>>;
}

/** A team that calls the public workflows under act, each call from a repository of its own. */
export class Team {
  private readonly root = mkdtempSync(join(tmpdir(), "goci-workflows-"));
  private readonly repositories = new Map<string, string>();

  constructor() {
    const goci = join(this.root, "goci");
    publishGoci(CHECKOUT, goci);
    this.repositories.set("org/goci@v1", goci);
    for (const [name, folder] of standIns(goci, join(this.root, "stand-ins")))
      this.repositories.set(name, folder);
  }

  /** Runs a workflow with a job named `called`. */
  async call(name: string, job: Record<string, unknown>, how: Call = {}): Promise<ActResult> {
    const home = join(this.root, name);
    const project = join(home, "project");
    const workflow = { on: "push", permissions: { contents: "read" }, jobs: { called: job, ...how.jobs } };
    // JSON is YAML.
    const files = { ...PROJECT, ...how.files, ".github/workflows/call.yml": JSON.stringify(workflow) };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(project, path)), { recursive: true });
      writeFileSync(join(project, path), text);
    }
    writeFileSync(join(home, "secrets"), how.secrets ?? "", { mode: 0o600 });
    commitAll(project, "a project");
    const run = startAct({
      act: join(CHECKOUT, ".tools/bin/act"),
      folder: project,
      workflow: ".github/workflows/call.yml",
      event: "push",
      secretFile: join(home, "secrets"),
      repositories: this.repositories,
      cache: join(home, "cache"),
      artifacts: join(home, "artifacts"),
      artifactPort: await freePort(),
      env: { ...process.env, ...how.env, NODE_OPTIONS: undefined, NODE_TEST_CONTEXT: undefined },
      logFile: join(home, "log"),
    });
    return run.result;
  }

  /** Removes everything that the calls left. */
  leave(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
