import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Cancelled } from "../../../lib/errors.ts";
import type { Fault } from "../../../lib/testing/registry-faults.ts";
import { BEFORE, FaultSite } from "./fault-kit.ts";

let site: FaultSite;

beforeAll(async () => {
  site = await FaultSite.open(false);
});

afterAll(() => site.stop());

const FAULTS: [string, Fault][] = [
  ["403", { kind: "status", status: 403 }],
  ["404", { kind: "status", status: 404 }],
  ["500", { kind: "status", status: 500 }],
  ["401", { kind: "status", status: 401 }],
  ["a reset", { kind: "reset" }],
  ["a lost answer", { kind: "lost-answer" }],
  ["a wrong digest", { kind: "digest", digest: `sha256:${"0".repeat(64)}` }],
  ["half an answer", { kind: "truncate" }],
];

describe("whatever single request fails, tags are all new or all as before", () => {
  test.each(FAULTS)("%s, at each request in turn", async (_name, fault) => {
    const requests = await site.requestsOfAPush();
    expect(requests).toBeGreaterThanOrEqual(16);
    for (let after = 0; after < requests; after++) {
      const { job, path } = await site.prepared();
      site.proxy.add({ fault, after, times: 1 });
      await site.expectKept(path, await site.ended(job));
    }
  });

  test.each([
    ["HEAD", /manifests/],
    ["POST", /uploads/],
    ["GET", /manifests/],
    ["PUT", /manifests\/main/],
  ])("silence at a %s %p is waited out and repeated", async (method, target) => {
    const { job, path } = await site.prepared();
    site.proxy.add({ method, target, fault: { kind: "hang" }, times: 1 });
    const end = await site.ended(job);
    expect(end.error).toBeUndefined();
    await site.expectKept(path, end);
  });
});

describe("whenever a cancel comes", () => {
  test("a cancel before, amid and after each tag puts all back", async () => {
    const requests = await site.requestsOfAPush();
    for (let after = 0; after < requests; after++) {
      const { job, path } = await site.prepared();
      const ports = site.ports();
      let seen = 0;
      site.proxy.onRequest(() => {
        if (seen++ === after) ports.controller.abort(new Cancelled("the run was cancelled (SIGINT)"));
      });
      const end = await site.ended(job, ports);
      expect(end.error).toMatchObject({ outcome: "cancelled" });
      await site.expectKept(path, end);
      expect((await site.read(path)).slice(2)).toEqual(BEFORE.slice(2));
      expect(ports.saved.at(-1)).toBeUndefined();
    }
  });
});
