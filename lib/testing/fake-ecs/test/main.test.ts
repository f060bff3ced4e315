import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "@jest/globals";
import type { Ready, Settings } from "../main.ts";

const folder = mkdtempSync(join(tmpdir(), "fake-aws-"));
let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("as a process of its own it serves, obeys, and takes its containers with it when it ends", async () => {
  const code =
    "require('node:http').createServer((_, r) => r.end(String(process.pid))).listen(Number(process.env.PORT), '127.0.0.1')";
  const settings: Settings = {
    speed: 20,
    targetGroups: { app: { HealthCheckIntervalSeconds: 5 } },
    processes: {
      images: { "app:1": { command: process.execPath, args: ["-e", code] } },
      balancers: { app: 0 },
    },
    services: [{ targetGroup: "app", desired: 1 }],
  };
  const file = join(folder, "settings.json");
  writeFileSync(file, JSON.stringify(settings));
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  child = spawn(process.execPath, ["--experimental-strip-types", "--no-warnings", main, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child?.once("exit", resolve));
  const line = await new Promise<string>((resolve) => {
    createInterface({ input: child?.stdout as NodeJS.ReadableStream }).once("line", resolve);
  });
  const ready = JSON.parse(line) as Ready;
  const container = Number(await (await fetch(`${ready.balancers["app"]}/`)).text());
  expect(process.kill(container, 0)).toBe(true);
  const order = (name: string, ...args: unknown[]) =>
    fetch(`${ready.endpoint}/_fake/${name}`, { method: "POST", body: JSON.stringify(args) }).then((answer) =>
      answer.json(),
    );
  expect(await order("deploy", "app", "app:nix")).toMatch(/task-definition\/app:2$/);
  expect(await order("services")).toEqual([{ name: "app", healthy: expect.any(Boolean) }]);
  expect(await order("violations")).toEqual([]);
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  expect(() => process.kill(container, 0)).toThrow("ESRCH");
});
