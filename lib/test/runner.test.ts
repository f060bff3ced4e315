import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { FakeClock } from "../testing/fake-clock.ts";
import { parseFileCommands } from "../testing/file-commands.ts";
import { FakeRunner } from "../testing/runner.ts";
import { parseWorkflowCommands } from "../testing/workflow-commands.ts";

describe("file commands", () => {
  test("reads lines and blocks", () => {
    const text = "a=1=2\nb<<EOF\nx=y\n\nz<<w\nEOF\nc=\n";
    expect(parseFileCommands(text)).toEqual({ a: "1=2", b: "x=y\n\nz<<w", c: "" });
  });

  test("an = before << makes it a line", () => {
    expect(parseFileCommands("a=x<<EOF\n")).toEqual({ a: "x<<EOF" });
  });

  test.each(["nothing", "=x", "a<<EOF\nx\n"])("refuses %j, as the runner does", (text) => {
    expect(() => parseFileCommands(text)).toThrow("file command");
  });
});

describe("workflow commands", () => {
  test("unescapes each character once", () => {
    expect(parseWorkflowCommands("::error title=a%253Ab%3Ac%2Cd,line=3::50%2525%0Ax")).toEqual([
      { name: "error", properties: { title: "a%3Ab:c,d", line: "3" }, data: "50%25\nx" },
    ]);
  });

  test("nothing counts while commands are stopped", () => {
    const text = "::stop-commands::T\n::error::x\n##[error]x\n::T::\n::notice::y";
    expect(parseWorkflowCommands(text).map((command) => command.name)).toEqual(["stop-commands", "notice"]);
  });
});

describe("the fake clock", () => {
  test("wakes sleepers in the order they are due, and those who fall asleep meanwhile", async () => {
    const clock = new FakeClock(0);
    const woken: string[] = [];
    const nap = async (name: string, ms: number) => {
      await clock.sleep(ms);
      woken.push(`${name}@${clock.now()}`);
    };
    void nap("late", 30);
    void nap("early", 10).then(() => nap("again", 5));
    await clock.advance(20);
    expect(woken).toEqual(["early@10", "again@15"]);
    await clock.advance(20);
    expect(woken).toEqual(["early@10", "again@15", "late@30"]);
    expect(clock.now()).toBe(40);
  });

  test("a cancel wakes with its reason", async () => {
    const cancel = new AbortController();
    const sleeping = new FakeClock(0).sleep(10, cancel.signal);
    cancel.abort(new Error("cancelled"));
    await expect(sleeping).rejects.toThrow("cancelled");
  });
});

describe("the fake runner", () => {
  const MAIN = `
    import { appendFileSync } from "node:fs";
    appendFileSync(process.env.GITHUB_OUTPUT, "env<<E\\n" + JSON.stringify(process.env) + "\\nE\\n");
    appendFileSync(process.env.GITHUB_STATE, "pid=7\\n");
    appendFileSync(process.env.GITHUB_STEP_SUMMARY, "# hello\\n");
    if (process.env.INPUT_MODE === "stubborn") { process.on("SIGINT", () => console.log("got SIGINT")); process.on("SIGTERM", () => process.exit(5)); setInterval(() => {}, 1000); }
    console.log("::add-mask::hunter22\\n::error title=T::broken\\nup €");
    if (process.env.INPUT_MODE === "dies") process.kill(process.pid, "SIGKILL");`;
  const POST = `import { appendFileSync } from "node:fs";
    appendFileSync(process.env.GITHUB_OUTPUT, "state=" + process.env.STATE_pid + "\\nfrom=" + process.env.INPUT_MODE + "\\n");`;
  const YAML = `inputs:
  mode: { default: plain }
  two words: { default: "" }
  token: { default: "\${{ github.token }}" }
runs: { using: node24, main: main.mjs, post: post.mjs }`;
  let folder = "";
  let action = "";
  const runners: FakeRunner[] = [];
  const make = (env: Record<string, string> = {}) => {
    const runner = new FakeRunner(env);
    runners.push(runner);
    return runner;
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "goci-action-"));
    mkdirSync(join(folder, "probe"));
    writeFileSync(join(folder, "probe", "main.mjs"), MAIN);
    writeFileSync(join(folder, "probe", "post.mjs"), POST);
    writeFileSync(join(folder, "probe", "action.yml"), YAML);
    action = relative(fileURLToPath(new URL("../../actions", import.meta.url)), join(folder, "probe"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    for (const runner of runners.splice(0)) runner.dispose();
  });

  test("gives inputs with the defaults of action.yml, and a clean environment", async () => {
    process.env["GOCI_LEAK"] = "x";
    const runner = make({ EXTRA: "1" });
    const step = await runner.main(action, { "two words": "a b" });
    delete process.env["GOCI_LEAK"];
    const env = JSON.parse(step.outputs["env"] ?? "{}") as Record<string, string>;
    expect(env).toMatchObject({
      INPUT_MODE: "plain",
      INPUT_TWO_WORDS: "a b",
      INPUT_TOKEN: "",
      EXTRA: "1",
      CI: "true",
    });
    expect(env).not.toHaveProperty("GOCI_LEAK");
    expect(env).not.toHaveProperty("NODE_OPTIONS");
    expect(env["GITHUB_WORKSPACE"]).toBe(runner.workspace);
    expect(statSync(runner.temp).mode & 0o077).toBe(0);
  });

  test("reads what the step left", async () => {
    const step = await make().main(action);
    expect(step).toMatchObject({
      exitCode: 0,
      signal: null,
      state: { pid: "7" },
      summary: "# hello\n",
      masks: ["hunter22"],
    });
    expect(step.errors).toEqual([{ name: "error", properties: { title: "T" }, data: "broken" }]);
    expect(step.output).toContain("up €");
    expect(step.report).toBeUndefined();
  });

  test("gives the post step the saved state, the same inputs, and files of its own", async () => {
    const runner = make();
    const main = await runner.main(action, { mode: "fast" });
    const post = await runner.post(action, main, { mode: "fast" });
    expect(post.outputs).toEqual({ state: "7", from: "fast" });
  });

  test("tells a step that was killed from one that ended", async () => {
    expect(await make().main(action, { mode: "dies" })).toMatchObject({ exitCode: null, signal: "SIGKILL" });
  });

  test("cancels as a person does: SIGINT first, SIGTERM 7.5 s later", async () => {
    const running = make().start(action, { mode: "stubborn" });
    await running.waitFor("up");
    const step = await running.cancel();
    expect(step.output).toContain("got SIGINT");
    expect(step.exitCode).toBe(5);
    expect(step.durationMs).toBeGreaterThan(7000);
  });

  test("waiting for a text that never comes rejects when the step ends", async () => {
    await expect(make().start(action).waitFor("never")).rejects.toThrow("without printing never");
  });
});
