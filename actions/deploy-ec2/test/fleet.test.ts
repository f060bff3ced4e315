import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { FakeRunner } from "../../../lib/testing/runner.ts";
import { fingerprintOf } from "../../../lib/testing/sshd.ts";
import { canMakeMachines, Machines } from "./machines.ts";
import { writeApp } from "./site.ts";

// Three hosts with the same paths and ports are namespaces of this one, which only root can make.
const onMachines = canMakeMachines() ? describe : describe.skip;

onMachines("three hosts", () => {
  let runner: FakeRunner;
  let machines: Machines;
  let inputs: Record<string, string>;
  let target: string;

  beforeAll(async () => {
    runner = new FakeRunner();
    const folder = join(runner.root, "machines");
    mkdirSync(folder);
    const shared = join(runner.root, "host");
    machines = new Machines(folder, shared);
    for (let index = 0; index < 3; index++) await machines.add();
    target = join(shared, "shop");
    inputs = {
      host: machines.ports.map((port) => `127.0.0.1:${port}`).join("\n"),
      username: "root",
      key: readFileSync(machines.key, "utf8"),
      fingerprint: fingerprintOf(join(folder, "host.pub")),
      source: "build",
      target,
      "app-name": "shop",
      "app-port": "8000",
      "service-manager": "nohup",
      "health-check-passes": "1",
      "health-check-interval": "100ms",
      "health-check-timeout": "8s",
      "stop-timeout": "2s",
    };
  });

  afterAll(async () => {
    await machines.stop();
    runner.dispose();
  });

  const build = (version: string, behaviour: "good" | "crash" | "poisoned" = "good") =>
    writeApp(join(runner.workspace, "build"), version, behaviour);
  const versions = () =>
    [0, 1, 2].map((index) => JSON.parse(machines.on(index, "curl", "-s", "http://127.0.0.1:8000/")).version);
  const links = () =>
    [0, 1, 2].map((index) => machines.on(index, "readlink", join(target, "current")).trim());
  const deploy = (release: string, extra: Record<string, string> = {}) =>
    runner.main("deploy-ec2", { ...inputs, release, ...extra });

  test("are deployed to one after the other", async () => {
    build("1");
    const result = await deploy("r1");
    expect({ outcome: result.outputs["outcome"], output: result.output }).toMatchObject({
      outcome: "succeeded",
    });
    expect(versions()).toEqual(["1", "1", "1"]);
    const hosts = JSON.parse(result.outputs["hosts"] ?? "[]");
    expect(hosts.map((host: { outcome: string }) => host.outcome)).toEqual([
      "succeeded",
      "succeeded",
      "succeeded",
    ]);
    expect(result.output).toContain("stage 3 of 3");
  });

  test("go back together when the last one fails", async () => {
    machines.on(2, "touch", join(target, "shared/poison"));
    build("2", "poisoned");
    const result = await deploy("r2");
    expect({ outcome: result.outputs["outcome"], output: result.output }).toMatchObject({
      outcome: "rolled-back",
    });
    expect(result.outputs["failure-code"]).toBe("START_FAILED");
    expect(result.outputs["failure-reason"]).toContain(`127.0.0.1:${machines.ports[2]}`);
    expect(versions()).toEqual(["1", "1", "1"]);
    expect(links()).toEqual(["releases/r1", "releases/r1", "releases/r1"]);
    const hosts = JSON.parse(result.outputs["hosts"] ?? "[]");
    expect(hosts.map((host: { outcome: string }) => host.outcome)).toEqual([
      "rolled-back",
      "rolled-back",
      "rolled-back",
    ]);
  });

  test("stop at the first one that fails: the others are never touched", async () => {
    machines.on(2, "rm", join(target, "shared/poison"));
    machines.on(0, "touch", join(target, "shared/poison"));
    const pids = [1, 2].map(
      (index) => JSON.parse(machines.on(index, "curl", "-s", "http://127.0.0.1:8000/")).pid,
    );
    const result = await deploy("r3");
    expect(result.outputs["outcome"]).toBe("rolled-back");
    expect(
      [1, 2].map((index) => JSON.parse(machines.on(index, "curl", "-s", "http://127.0.0.1:8000/")).pid),
    ).toEqual(pids);
    expect([1, 2].map((index) => machines.on(index, "ls", join(target, "releases")).trim())).toEqual([
      "r1",
      "r1",
    ]);
  });

  test("all at once, and one that is unreachable stops the run before anything is touched", async () => {
    machines.on(0, "rm", join(target, "shared/poison"));
    build("4");
    const gone = await deploy("r4", { host: `${inputs["host"]}\n127.0.0.1:1` });
    expect(gone.outputs).toMatchObject({
      outcome: "failed",
      "failure-code": "CONNECT_FAILED",
      changed: "false",
    });
    expect(versions()).toEqual(["1", "1", "1"]);
    const result = await deploy("r4", { strategy: "all-at-once" });
    expect(result.outputs["outcome"]).toBe("succeeded");
    expect(versions()).toEqual(["4", "4", "4"]);
  });
});
