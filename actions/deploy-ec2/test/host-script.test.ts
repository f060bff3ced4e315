import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { freePort } from "../../../lib/testing/sshd.ts";
import { renderEnvironment } from "../src/environment-file.ts";
import { renderScripts } from "../src/host/embed.ts";
import { scripts } from "../src/host/scripts.ts";
import { isPlain, programOf, runFile } from "../src/release-files.ts";
import { quote } from "../src/shell.ts";
import { writeApp } from "./site.ts";

const HOST = join(dirname(fileURLToPath(import.meta.url)), "../src/host");
const has = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
/** Every POSIX shell of this machine. */
const SHELLS = [["sh"], ["dash"], ["busybox", "sh"], ["bash", "--posix"]].filter(([program]) =>
  has(program ?? ""),
);

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "goci-host-"));
});
afterEach(() => {
  // The host script first: it would start the old release again.
  const file = join(root, ".goci/deploy/supervisor");
  const [pid] = existsSync(file) ? readFileSync(file, "utf8").split(" ") : [];
  const script = `kill -9 ${pid ?? ""} 2>/dev/null; for p in /proc/[0-9]*; do case $(readlink $p/cwd) in ${root}*) kill -9 \${p##*/};; esac; done`;
  spawnSync("sh", ["-c", script]);
  rmSync(root, { recursive: true, force: true });
});

function library(token: string, port = 1, lease = 60): string {
  const settings = `T=${quote(root)}\nTOKEN=${token}\nUNIT=shop\nPORT=${port}\nSTOP_S=1\nKEEP=5\nMANAGER=nohup\n`;
  const parts = [scripts.lib, scripts.lock, scripts.service, scripts.inspect, scripts.deploy, scripts.prune];
  return settings + parts.join("\n").replace("LEASE=60", `LEASE=${lease}`);
}

function sh(shell: readonly string[], script: string): string {
  const [program = "sh", ...args] = shell;
  return execFileSync(program, [...args, "-s"], {
    input: script,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
  });
}

describe("the host's scripts", () => {
  test("scripts.ts is what the .sh files say", () => {
    expect(readFileSync(join(HOST, "scripts.ts"), "utf8")).toBe(renderScripts(HOST));
  });

  test.each(SHELLS)("every script is read by %s", (program, ...args) => {
    for (const text of Object.values(scripts)) {
      expect(
        spawnSync(program, [...args.filter((arg) => arg), "-n"], { input: text }).stderr.toString(),
      ).toBe("");
    }
  });

  test.each(SHELLS)("the environment file gives %s back what was written", (...shell) => {
    const value = fc.string({ unit: fc.constantFrom(..."ab \"'\\`$%\n\t#;&|!*?(){}ü=~") });
    fc.assert(
      fc.property(value, (text) => {
        writeFileSync(join(root, "env"), renderEnvironment(new Map([["GIVEN", text]])));
        const words = shell.filter((word) => word !== undefined);
        expect(sh(words, `set -a; . ${root}/env; set +a; printf '%s' "$GIVEN"`)).toBe(text);
      }),
      { numRuns: 60, seed: 3 },
    );
  });

  test.each(SHELLS)("400 switches under a reader in %s: `current` never is missing", async (...shell) => {
    for (const id of ["a", "b"]) mkdirSync(join(root, "releases", id), { recursive: true });
    mkdirSync(join(root, ".goci"));
    const script = `${library("t")}\npoint_current a\ni=0; while [ $i -lt 200 ]; do point_current b; point_current a; i=$((i+1)); done\n`;
    sh(["sh"], `${library("t")}\npoint_current a`);
    const [program = "sh", ...args] = shell.filter((word) => word !== undefined);
    const child = spawn(program, [...args, "-s"], { stdio: ["pipe", "ignore", "inherit"] });
    child.stdin.end(script);
    let reads = 0;
    let missing = 0;
    const ended = new Promise((resolve) => child.on("exit", resolve));
    while (child.exitCode === null) {
      for (let i = 0; i < 200; i++) {
        reads++;
        if (!existsSync(join(root, "current"))) missing++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await ended).toBe(0);
    expect(reads).toBeGreaterThan(1000);
    expect(missing).toBe(0);
    expect(readlinkSync(join(root, "current"))).toBe("releases/a");
  });

  test("of many that want the lock one gets it; of many that see it expired one takes it over", async () => {
    const contend = (round: number) =>
      Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const child = spawn("sh", ["-s"], { stdio: ["pipe", "pipe", "inherit"] });
          let output = "";
          child.stdout.on("data", (chunk) => {
            output += String(chunk);
          });
          child.stdin.end(`${library(`t${round}-${index}`)}\nlock_take "run ${index}"\n`);
          await new Promise((resolve) => child.on("close", resolve));
          return output.trim();
        }),
      );
    for (let round = 0; round < 12; round++) {
      const answers = await contend(round);
      expect(answers.filter((answer) => answer === "taken")).toHaveLength(1);
      expect(answers.filter((answer) => /^held \d+ run \d$/.test(answer))).toHaveLength(7);
      // The holder dies: the next round finds an expired lock.
      writeFileSync(join(root, ".goci/lock/lease"), `${Math.floor(Date.now() / 1000) - 61}\n`);
    }
  });

  test("a pid that was given to somebody else is not taken for the service", () => {
    const start = sh(["sh"], `${library("t")}\npid_start ${process.pid}`).trim();
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const ask = (line: string) => {
      writeFileSync(join(root, "pid"), `${line}\n`);
      return sh(["sh"], `${library("t")}\nif alive ${root}/pid; then echo yes; else echo no; fi`).trim();
    };
    expect(ask(`${process.pid} ${start} ${boot}`)).toBe("yes");
    expect(ask(`${process.pid} ${Number(start) + 1} ${boot}`)).toBe("no");
    expect(ask(`${process.pid} ${start} another-boot`)).toBe("no");
    expect(ask("")).toBe("no");
  });
});

describe("the host script without a runner", () => {
  let port: number;

  /** A release with its settings, as the runner writes them. */
  function release(id: string, behaviour: "good" | "crash" | "deaf" = "good"): void {
    const meta = join(root, ".goci/releases", id);
    mkdirSync(meta, { recursive: true });
    writeApp(join(root, "releases", id), id, behaviour);
    execFileSync("chmod", ["755", join(root, "releases", id, "main")]);
    writeFileSync(
      join(meta, "env"),
      renderEnvironment(
        new Map([
          ["PORT", String(port)],
          ["RELEASE_ID", id],
        ]),
      ),
    );
    writeFileSync(join(meta, "run"), runFile(root, id, "./main"));
  }

  function launch(release: string, previous: string, token: string, lease = 2): void {
    const library_ = library(token, port, lease);
    const variables = `NEW=${release}\nPREV=${previous}\nFRESH=1\n`;
    const script = `${library_}\n${variables}MODE=deploy\nLIMIT_S=60\nBACK_S=20\nROLLBACK=1\nHEALTH_PATH=/\n${scripts.supervise}\nrun_supervisor`;
    sh(["sh"], `${library_}\nlock_take me >/dev/null\n${variables}SCRIPT=${quote(script)}\nlaunch\n`);
  }

  const status = () => readFileSync(join(root, ".goci/deploy/status"), "utf8").trim();
  const verdict = (text: string) => writeFileSync(join(root, ".goci/deploy/verdict"), `${text}\n`);

  async function until(pattern: RegExp, ms = 15_000): Promise<string> {
    for (let waited = 0; waited < ms; waited += 50) {
      if (pattern.test(status())) return status();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(
      `still ${status()}, wanted ${pattern}: ${readFileSync(join(root, ".goci/deploy/log"), "utf8")}`,
    );
  }

  const current = () => readlinkSync(join(root, "current"));

  beforeEach(async () => {
    port = await freePort();
    release("old");
    launch("old", "", "first", 60);
    await until(/^listening/);
    verdict("commit");
    await until(/^committed/);
    sh(["sh"], `${library("first", port)}\nlock_release`);
  });

  test("a runner that is heard of no more: it goes back by itself and gives the lock back", async () => {
    release("new");
    launch("new", "old", "second");
    await until(/^listening/);
    expect(current()).toBe("releases/new");
    expect(await until(/^(rolled-back|rollback-failed)/)).toMatch(/^rolled-back RUNNER_LOST/);
    expect(current()).toBe("releases/old");
    for (let waited = 0; waited < 3000 && existsSync(join(root, ".goci/lock")); waited += 50)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(existsSync(join(root, ".goci/lock"))).toBe(false);
    expect(existsSync(join(root, "releases/new"))).toBe(false);
  });

  test("a release that ends is noticed, and the old one is started again", async () => {
    release("new", "crash");
    launch("new", "old", "second", 60);
    expect(await until(/^(restored|rollback-failed)/)).toMatch(
      /^restored START_FAILED the new release ended with exit code 7/,
    );
    writeFileSync(join(root, ".goci/deploy/verdict-old"), "confirm\n");
    await until(/^rolled-back/);
    expect(readFileSync(join(root, ".goci/failed/new.log"), "utf8")).toContain("flux capacitor");
  });

  test("somebody else has moved `current`: nothing is touched any more", async () => {
    release("new");
    release("other");
    launch("new", "old", "second", 60);
    await until(/^listening/);
    sh(["sh"], `${library("x")}\npoint_current other`);
    verdict("rollback");
    expect(await until(/^superseded/)).toContain("other");
    expect(current()).toBe("releases/other");
  });

  test("a host script that is killed in the middle is found by the next run", async () => {
    release("new");
    launch("new", "old", "second", 60);
    await until(/^listening/);
    const [pid = ""] = readFileSync(join(root, ".goci/deploy/supervisor"), "utf8").split(" ");
    process.kill(Number(pid), "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sh(["sh"], `${library("third", port)}\nsettle`).trim()).toBe("new old 1");
  });

  test("health counts only for the release that listens", async () => {
    release("new", "deaf");
    launch("new", "old", "second", 60);
    await until(/^starting/);
    const squatter = spawn(process.execPath, [
      "-e",
      `require("net").createServer().listen(${port}, "127.0.0.1")`,
    ]);
    try {
      expect(await until(/PORT_IN_USE/)).toContain(`(pid ${squatter.pid})`);
    } finally {
      squatter.kill("SIGKILL");
    }
  });
});

describe("start commands", () => {
  test.each([
    ["./main", true, "main"],
    ["./bin/serve --port 1", true, "bin/serve"],
    ["node server.js", true, ""],
    ["cd x && ./main", false, ""],
    ["A=1 ./main", false, "main"],
    ["bin/serve", true, "bin/serve"],
    ["exec ./main", false, "main"],
    ["/usr/bin/env x", true, ""],
    ["../up/main", true, ""],
    ["./main | tee log", false, "main"],
  ])("%s", (command, plain, program) => {
    expect([isPlain(command), programOf(command)]).toEqual([plain, program]);
  });
});
