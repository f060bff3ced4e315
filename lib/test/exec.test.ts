import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { execute, query } from "../exec.ts";

const env = { PATH: process.env["PATH"] };
const node = (script: string): [string, ...string[]] => [process.execPath, "-e", script];

/** Whether a process still runs; one that ended and waits to be collected does not. */
function runs(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync(stat)) return false;
  return !/^\d+ \(.*\) Z/.test(readFileSync(stat, "utf8"));
}

describe("execute", () => {
  test("gives the exit code and both streams", async () => {
    const exit = await execute({ argv: node("console.log('o'); console.error('e'); process.exit(3)"), env });
    expect(exit).toMatchObject({
      code: 3,
      signal: null,
      stdout: "o\n",
      stderr: "e\n",
      timedOut: false,
      cancelled: false,
    });
  });

  test("passes arguments as they are: there is no shell", async () => {
    const odd = ["$HOME", "a b", "`id`", "; echo x", '"', ""];
    const exit = await execute({
      argv: [...node("console.log(JSON.stringify(process.argv.slice(1)))"), ...odd],
      env,
    });
    expect(JSON.parse(exit.stdout)).toEqual(odd);
  });

  test("gives the child the environment named and nothing else", async () => {
    const exit = await execute({
      argv: node("console.log(Object.keys(process.env).join())"),
      env: { A: "1" },
    });
    expect(
      exit.stdout
        .trim()
        .split(",")
        .filter((name) => !name.startsWith("__")),
    ).toEqual(["A"]);
  });

  test("hands on stdin, also to a program that does not read it", async () => {
    const stdin = "x".repeat(1_000_000);
    const reader = node(
      "let n=0; process.stdin.on('data', d => n+=d.length).on('end', () => console.log(n))",
    );
    expect((await execute({ argv: reader, env, stdin })).stdout).toBe("1000000\n");
    expect((await execute({ argv: node("process.exit(0)"), env, stdin })).code).toBe(0);
  });

  test("hands on whole lines, with characters that came in two chunks", async () => {
    const lines: string[] = [];
    const script = `
      const euro = Buffer.from("€");
      process.stdout.write(Buffer.concat([Buffer.from("a"), euro.subarray(0, 1)]));
      setTimeout(() => process.stdout.write(Buffer.concat([euro.subarray(1), Buffer.from("\\r\\nlast")])), 50);`;
    await execute({ argv: node(script), env, onLine: (line, stream) => lines.push(`${stream}:${line}`) });
    expect(lines).toEqual(["stdout:a€", "stdout:last"]);
  });

  test("keeps only the end of a long output, and a line without an end does not pile up", async () => {
    const lengths: number[] = [];
    const exit = await execute({
      argv: node(
        "for (let i = 0; i < 40; i++) process.stdout.write('x'.repeat(10000)); process.stdout.write('END')",
      ),
      env,
      keepBytes: 1000,
      onLine: (line) => lengths.push(line.length),
    });
    expect(exit.stdout).toHaveLength(1000);
    expect(exit.stdout.endsWith("xEND")).toBe(true);
    expect(lengths.length).toBeGreaterThan(1);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(400_003);
  });

  test("a program that is not there is an error with a fix", async () => {
    await expect(execute({ argv: ["no-such-program-here"], env })).rejects.toMatchObject({
      code: "COMMAND_NOT_FOUND",
      message: expect.stringContaining("no-such-program-here"),
    });
  });

  test("the time limit stops children too", async () => {
    let pid = 0;
    const script = `
      const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
      console.log(child.pid);
      setInterval(() => {}, 1000);`;
    const exit = await execute({
      argv: node(script),
      env,
      timeoutMs: 1500,
      onLine: (line) => (pid = Number(line)),
    });
    expect(exit).toMatchObject({ timedOut: true, cancelled: false, code: null });
    expect(pid).toBeGreaterThan(0);
    expect(runs(pid)).toBe(false);
  });

  test("a cancel stops a program that ignores the first two signals", async () => {
    const cancel = new AbortController();
    const script =
      "for (const s of ['SIGINT','SIGTERM']) process.on(s, () => {}); console.log('up'); setInterval(() => {}, 1000)";
    const exit = await execute({
      argv: node(script),
      env,
      signal: cancel.signal,
      onLine: () => cancel.abort(),
    });
    expect(exit).toMatchObject({ cancelled: true, signal: "SIGKILL" });
    expect(exit.ms).toBeLessThan(10_000);
  });

  test("does not start to wait when the cancel came before", async () => {
    const exit = await execute({
      argv: node("setInterval(() => {}, 1000)"),
      env,
      signal: AbortSignal.abort(),
    });
    expect(exit.cancelled).toBe(true);
  });

  test("ends although something left behind holds the output open", async () => {
    const script = `require("node:child_process").spawn("sleep", ["20"], { stdio: "inherit", detached: true }).unref(); console.log("done")`;
    const exit = await execute({ argv: node(script), env });
    expect(exit).toMatchObject({ code: 0, stdout: "done\n" });
    expect(exit.ms).toBeLessThan(15_000);
  });
});

test("query gives what a program prints, and undefined when it fails or is not there", async () => {
  expect(await query([process.execPath, "-p", "1+1"])).toBe("2");
  expect(await query([process.execPath, "-e", "process.exit(1)"])).toBeUndefined();
  expect(await query(["no-such-program-here"])).toBeUndefined();
});
