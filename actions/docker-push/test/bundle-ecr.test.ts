import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startRegistry, type TestRegistry } from "../../../lib/testing/registry.ts";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import { FakeRunner } from "../../../lib/testing/runner.ts";
import { startTlsFront, type TlsFront } from "../../../lib/testing/tls-front.ts";
import { dockerArchive, tarOf } from "./image-kit.ts";

const HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const IMAGE = `${HOST}/team/api`;

let registry: TestRegistry;
let front: TlsFront;
let aws: Server;
let runner: FakeRunner;
let env: Record<string, string>;
const calls: string[] = [];
let exists = false;

beforeAll(async () => {
  registry = await startRegistry();
  runner = new FakeRunner();
  front = await startTlsFront(HOST, registry.origin, runner.root);
  const missing = "The repository with name 'team/api' does not exist in the registry with id '123456789012'";
  front.intercept((incoming, outgoing) => {
    if (incoming.method !== "POST" || exists) return false;
    incoming.resume();
    outgoing.writeHead(404, { "content-type": "application/json" });
    outgoing.end(JSON.stringify({ errors: [{ code: "NAME_UNKNOWN", message: missing }] }));
    return true;
  });
  aws = createServer((incoming, outgoing) => {
    const operation = String(incoming.headers["x-amz-target"]).split(".").pop() ?? "";
    calls.push(operation);
    const token = Buffer.from(`${registry.username}:${registry.password}`).toString("base64");
    if (operation === "CreateRepository") exists = true;
    const answer =
      operation === "CreateRepository" ? {} : { authorizationData: [{ authorizationToken: token }] };
    incoming.resume().on("end", () => {
      outgoing.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
      outgoing.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => aws.listen(0, "127.0.0.1", resolve));
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
      cwd: runner.workspace,
      encoding: "utf8",
    }).trim();
  git("init", "--quiet", "--initial-branch=main");
  git("commit", "--quiet", "--allow-empty", "-m", "one");
  const layer = await tarOf([{ name: "app.txt", content: "hello" }]);
  writeFileSync(join(runner.workspace, "image.tar"), await dockerArchive([layer]));
  env = {
    GITHUB_SHA: git("rev-parse", "HEAD"),
    HTTPS_PROXY: front.proxy,
    NODE_EXTRA_CA_CERTS: front.certificate,
    AWS_ENDPOINT_URL_ECR: `http://127.0.0.1:${(aws.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  };
});

afterAll(async () => {
  runner.dispose();
  await front.stop();
  await new Promise((resolve) => aws.close(resolve));
  await registry.stop();
});

const run = (more: Record<string, string> = {}, moreEnv: Record<string, string> = {}) =>
  runner.main(
    "docker-push",
    { images: IMAGE, source: "tar:image.tar", ...more },
    { env: { ...env, ...moreEnv } },
  );

/** What the step printed besides the commands that hide secrets. */
const shown = (output: string) => output.replace(/^::add-mask::.*$/gm, "");

describe("Amazon's registry, behind TLS and a proxy", () => {
  test("a missing repository is found before anything is pushed, with what to do", async () => {
    const result = await run();
    expect(result.exitCode).toBe(1);
    expect(result.outputs["failure-code"]).toBe("NAME_UNKNOWN");
    expect(result.errors[0]?.data).toContain("`ecr-create-repository: true`");
    expect(front.seen.filter((line) => !line.startsWith("GET"))).toEqual([
      "POST /v2/team/api/blobs/uploads/",
    ]);
    expect(calls).toEqual(["GetAuthorizationToken"]);
  });

  test("is signed in to, made where that is wanted, and pushed to; the token is nowhere", async () => {
    calls.length = 0;
    const result = await run({ "ecr-create-repository": "true" });
    expect(result.errors).toEqual([]);
    expect(result.outputs["outcome"]).toBe("succeeded");
    expectValidReport(result.report);
    expect(calls).toEqual(["GetAuthorizationToken", "CreateRepository"]);
    expect(await registry.digestOf("team/api", "main")).toBe(result.outputs["digest"]);
    const everything = shown(result.output) + JSON.stringify([result.outputs, result.state, result.report]);
    for (const secret of [registry.password, Buffer.from(registry.password).toString("base64")]) {
      expect(everything + result.summary).not.toContain(secret);
    }
  });

  test("again is unchanged", async () => {
    const mark = front.seen.length;
    const result = await run();
    expect(result.outputs["outcome"]).toBe("unchanged");
    expect(front.seen.slice(mark).filter((line) => /^(PUT|PATCH)/.test(line))).toEqual([]);
    expect(front.seen.length - mark).toBeLessThanOrEqual(15);
  });

  test.each([
    [
      "a certificate that nobody vouches for",
      {},
      { NODE_EXTRA_CA_CERTS: "" },
      "REGISTRY_UNAVAILABLE",
      "NODE_EXTRA_CA_CERTS",
    ],
    [
      "no AWS credentials",
      {},
      { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_EC2_METADATA_DISABLED: "true" },
      "LOGIN_FAILED",
      "AWS_ACCESS_KEY_ID",
    ],
    ["`ecr: false` and no login", { ecr: "false" }, {}, "LOGIN_FAILED", "`registry-auth`"],
  ] as const)("%s", async (_name, more, moreEnv, code, fix) => {
    const result = await run(more, moreEnv);
    expect(result.exitCode).toBe(1);
    expect(result.outputs["failure-code"]).toBe(code);
    expect(result.errors[0]?.data).toContain(fix);
  });
});
