import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort } from "../../lib/testing/sshd.ts";
import type { ActResult } from "../act.ts";
import { outputOf } from "../evidence.ts";
import { Team } from "./team.ts";

/** The public workflows as a team calls them, under act, on a project of four files. */
describe("reusable workflows", () => {
  let team: Team;
  beforeAll(() => {
    team = new Team();
  });
  afterAll(() => team?.leave());

  const call = (name: string, job: Record<string, unknown>, secrets = ""): Promise<ActResult> =>
    team.call(name, job, { secrets });

  test("pipeline tests on every version of the list and makes one artifact", async () => {
    const result = await call("lists", {
      uses: "org/goci/.github/workflows/pipeline.yml@v1",
      with: { "node-version": "24, 22", "artifact-paths": "made.txt" },
    });
    expect({ exitCode: result.exitCode, errors: result.errors }).toEqual({ exitCode: 0, errors: [] });
    const ran = [...result.jobs].filter(([, ended]) => ended !== "skipped");
    const jobs = ran.map(([job]) => job.split("/").at(-1)?.trim());
    // Without a registry login there is no image.
    expect(jobs.sort()).toEqual(["build (node 24)", "plan", "test (node 22)"]);
    expect(outputOf(result, "test.tests-passed")).toBe("1");
    expect(outputOf(result, "test.artifact-digest")).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test("pipeline names a version list that is none", async () => {
    const result = await call("no-list", {
      uses: "org/goci/.github/workflows/pipeline.yml@v1",
      with: { "node-version": "[24, 22" },
    });
    expect(result.exitCode).not.toBe(0);
    expect(result.errors).toEqual([expect.stringContaining('`node-version` is "[24, 22". To fix: ')]);
  });

  test("pipeline with a registry login and no repository says which line to add, before anything is built", async () => {
    const job = {
      uses: "org/goci/.github/workflows/pipeline.yml@v1",
      secrets: { password: "${{ secrets.REGISTRY }}" },
    };
    const result = await call("login", job, "REGISTRY=hunter22\n");
    expect(result.exitCode).not.toBe(0);
    expect(result.errors).toHaveLength(1);
    expect(result.errors[0]).toContain("add `images: <registry>/<owner>/<name>` under `with:`");
    expect(outputOf(result, "test.outcome")).toBe("");
  });

  test("docker with a user name and no password names the line to add and does not run the action", async () => {
    const result = await call("no-password", {
      uses: "org/goci/.github/workflows/docker.yml@v1",
      with: { images: "127.0.0.1:1/acme/api", username: "robot" },
    });
    expect(result.exitCode).not.toBe(0);
    expect(result.errors).toHaveLength(1);
    expect(result.errors[0]).toContain("pass the secret `password`");
    expect(outputOf(result, "push.outcome")).toBe("");
  });

  test("docker passes its inputs on: a dry run tells the tags, and is red for a context that is not there", async () => {
    const job = (context: string) => ({
      uses: "org/goci/.github/workflows/docker.yml@v1",
      with: {
        ...{ images: "127.0.0.1:1/acme/api", "branch-tags": "main=edge", tags: "type=raw,value=one" },
        ...{ "dry-run": true, context },
      },
    });
    const planned = await call("dry-run", job("."));
    expect({ exitCode: planned.exitCode, errors: planned.errors }).toEqual({ exitCode: 0, errors: [] });
    expect(outputOf(planned, "push.outcome")).toBe("planned");
    expect(outputOf(planned, "push.tags").split("\n").sort()).toEqual([
      "127.0.0.1:1/acme/api:edge",
      "127.0.0.1:1/acme/api:one",
    ]);
    const red = await call("no-context", job("not-there"));
    expect(red.exitCode).not.toBe(0);
    expect(red.errors).toHaveLength(1);
    expect(outputOf(red, "push.failure-code")).toBe("BAD_INPUT");
  });

  test("ec2 without a key names the line to add and does not run the action", async () => {
    const result = await call("no-key", {
      uses: "org/goci/.github/workflows/ec2.yml@v1",
      with: { host: "127.0.0.1:1", fingerprint: "SHA256:x", source: "made.txt" },
    });
    expect(result.exitCode).not.toBe(0);
    expect(result.errors).toHaveLength(1);
    expect(result.errors[0]).toContain("pass the secret `key`");
    expect(outputOf(result, "deploy.outcome")).toBe("");
  });

  test("load-test passes its inputs on and is red for a target that is not there", async () => {
    const port = await freePort();
    const result = await call("load", {
      uses: "org/goci/.github/workflows/load-test.yml@v1",
      with: { url: `http://127.0.0.1:${port}`, duration: "1s", "warm-up": "0s", "ready-timeout": "1s" },
    });
    expect(result.exitCode).not.toBe(0);
    expect(outputOf(result, "load.outcome")).toBe("no-data");
    expect([...result.jobs.keys()].some((job) => job.includes("teardown"))).toBe(false);
  });

  test("ecs with a role and no token of GitHub names the line to add and does not run the action", async () => {
    const result = await call("no-token", {
      uses: "org/goci/.github/workflows/ecs.yml@v1",
      with: { "aws-role-arn": "arn:aws:iam::123456789012:role/deploy", service: "app", image: "app:1" },
    });
    expect(result.exitCode).not.toBe(0);
    expect(result.errors).toHaveLength(1);
    expect(result.errors[0]).toContain("id-token: write");
    expect(outputOf(result, "deploy.outcome")).toBe("");
  });

  test("ecs passes its inputs on, and the action names all that is wrong with them", async () => {
    const result = await call("wrong-ecs", {
      uses: "org/goci/.github/workflows/ecs.yml@v1",
      with: {
        service: "app",
        "poll-interval": "10ms",
        "desired-count": "-1",
        "task-definition": "none.json",
      },
    });
    expect(result.exitCode).not.toBe(0);
    expect(outputOf(result, "deploy.failure-code")).toBe("BAD_INPUT");
    for (const name of ["poll-interval", "desired-count", "task-definition"]) {
      expect(outputOf(result, "deploy.failure-reason")).toContain(`\`${name}\``);
    }
  });
});
