import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { FakeRunner, StepResult } from "../../../lib/testing/runner.ts";
import { processesIn } from "../src/database/processes.ts";
import { BARE, expectWellFormed, newJob } from "./job.ts";

let job: FakeRunner | undefined;

afterEach(() => {
  job?.dispose();
  job = undefined;
});

const DATABASE = {
  database: "preinstalled",
  "database-env": "HOST=host\nUSER=user\nPASSWORD=password\nDBNAME=database\nDBPORT=port\nDATABASE_URL=url",
};

function folderOf(step: Pick<StepResult, "state">): string {
  const text = step.state["goci-database"];
  return text ? (JSON.parse(text) as { folder: string }).folder : "";
}

function expectGone(folder: string): void {
  expect([existsSync(folder), processesIn(folder)]).toEqual([false, []]);
}

/** Uses the database through the machine's psql and reports that as a test. */
const USE_IT = `#!/bin/sh
set -e
PGPASSWORD="$PASSWORD" psql -v ON_ERROR_STOP=1 -At -h "$HOST" -p "$DBPORT" -U "$USER" -d "$DBNAME" -c 'SELECT count(*) FROM things' > count.txt
psql -At "$DATABASE_URL" -c 'SELECT 1'
echo '<testsuite><testcase name="uses the database"/></testsuite>' > out.xml
env > env.txt
echo "the password is $PASSWORD"
`;

describe("a database for the tests", () => {
  test("is filled, given to the commands alone, and gone after the post step", async () => {
    job = newJob({
      "use.sh": USE_IT,
      "sql/1-make.sql": "CREATE TABLE things (name text);",
      "sql/2-fill.sql": "INSERT INTO things VALUES ('a'), ('b');",
    });
    const inputs = {
      ...BARE,
      ...DATABASE,
      "database-init": "sql/*.sql",
      "database-password": "s3cr3t: p@ss/wörd",
      "test-command": "./use.sh",
    };
    const step = await job.main("build-test", inputs);
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["database-provider"]]).toEqual([0, "preinstalled"]);
    expect(readFileSync(`${job.workspace}/count.txt`, "utf8")).toBe("2\n");
    expect(step.outputs["database-url"]).toMatch(/^postgres:\/\/app:\*\*\*@127\.0\.0\.1:\d+\/app$/);

    const left = JSON.stringify([step.outputs, step.state, step.report, step.summary]);
    expect(left).not.toContain("s3cr3t");
    expect(step.masks[0]).toBe("s3cr3t: p@ss/wörd");
    const told = step.output
      .split("\n")
      .filter((line) => line.includes("s3cr3t") && !line.startsWith("::add-mask::"));
    expect(told).toEqual([]);
    const env = readFileSync(`${job.workspace}/env.txt`, "utf8");
    expect(env).not.toMatch(/^(INPUT_|GITHUB_OUTPUT=|GITHUB_STATE=)/m);

    const folder = folderOf(step);
    expect(processesIn(folder).length).toBeGreaterThan(0);
    const post = await job.post("build-test", step);
    expect(post.exitCode).toBe(0);
    expectGone(folder);
    const again = await job.post("build-test", step);
    expect([again.exitCode, again.commands]).toEqual([0, []]);
  });

  test("that cannot start fails with the server's own words", async () => {
    job = newJob({});
    const step = await job.main("build-test", {
      ...BARE,
      ...DATABASE,
      "database-settings": "shared_buffers=plenty",
      "test-command": "true",
    });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "DATABASE_FAILED"]);
    expect(JSON.stringify(step.report?.["error"])).toContain("shared_buffers");
    await job.post("build-test", step);
    expectGone(folderOf(step));
  });

  test("of a version that is not installed, and init files that are wrong", async () => {
    job = newJob({ "bad.sql": "SELEC 1" });
    const old = await job.main("build-test", {
      ...BARE,
      ...DATABASE,
      "database-version": "8",
      "test-command": "true",
    });
    expectWellFormed(old);
    expect(old.outputs["failure-reason"]).toContain("no PostgreSQL 8 is installed");
    const bad = await job.main("build-test", {
      ...BARE,
      ...DATABASE,
      "database-init": "bad.sql",
      "test-command": "true",
    });
    expect(bad.outputs["failure-reason"]).toMatch(/bad\.sql failed: ERROR 42601: syntax error/);
    await job.post("build-test", bad);
    expectGone(folderOf(bad));
  });
});

describe("a step that is ended from outside", () => {
  const SLOW = { ...BARE, ...DATABASE, "test-command": "./slow.sh" };
  const FILES = { "slow.sh": "#!/bin/sh\necho $$ > pid.txt\necho started\nsleep 300\n" };

  test("cancelled: says so within five seconds, ends its children, and the post step the rest", async () => {
    job = newJob(FILES);
    const running = job.start("build-test", SLOW);
    await running.waitFor("started");
    const startedAt = performance.now();
    const step = await running.cancel();
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["outcome"], step.outputs["failure-code"]]).toEqual([
      1,
      "cancelled",
      "CANCELLED",
    ]);
    const pid = pidOf(job);
    expect(isRunning(pid)).toBe(false);
    await job.post("build-test", step);
    expectGone(folderOf(step));
  });

  test.each(["::group::database", "PostgreSQL 1", "ready on", "started"])(
    "killed once it printed %j: the post step leaves nothing",
    async (text) => {
      job = newJob(FILES);
      const open = openTemp(job);
      const running = job.start("build-test", SLOW, { env: { TMPDIR: open } });
      await running.waitFor(text);
      running.kill("SIGKILL");
      const step = await running.result;
      expect(step.signal).toBe("SIGKILL");
      const post = await job.post("build-test", step);
      expect(post.exitCode).toBe(0);
      const folder = folderOf(step);
      if (text === "started") expect(folder).toContain(job.root);
      if (folder) expectGone(folder);
      expect(serverFolders(job, open)).toEqual([]);
      const pid = pidOf(job);
      if (pid) expect(isRunning(pid)).toBe(false);
    },
  );
});

/** The project's own command; 0 when it did not get that far. */
function pidOf(from: FakeRunner): number {
  const file = `${from.workspace}/pid.txt`;
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
}

function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** A temporary folder of this job alone, open to the server's user. */
function openTemp(from: FakeRunner): string {
  const folder = `${from.root}/open`;
  chmodSync(from.root, 0o755);
  mkdirSync(folder);
  chmodSync(folder, 0o1777);
  return folder;
}

function serverFolders(from: FakeRunner, open: string): string[] {
  return [...readdirSync(from.temp), ...readdirSync(open)].filter((name) =>
    name.startsWith("goci-postgres-"),
  );
}
