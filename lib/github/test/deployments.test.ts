import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import nock from "nock";
import { Failure } from "../../errors.ts";
import { readGitHubContext } from "../../github-context.ts";
import { memoryState } from "../../state.ts";
import { closeRecord, recorded } from "../deployments.ts";

const API = "https://api.example.test";
const INPUTS = { environment: "production", token: "ghs_canary" };
const github = readGitHubContext({
  GITHUB_REPOSITORY: "acme/shop",
  GITHUB_SHA: "c0ffee",
  GITHUB_RUN_ID: "7",
});

function ports() {
  const warnings: string[] = [];
  const log = { warn: (text: string) => warnings.push(text) };
  const state = memoryState();
  const signal = new AbortController().signal;
  return { warnings, log: log as never, state, github, apiUrl: API, url: () => "https://shop.test/", signal };
}

/** The deployment is made, and these statuses are said of it, in this order. */
function expectStatuses(...wanted: Record<string, unknown>[]): void {
  nock(API, { reqheaders: { authorization: "token ghs_canary" } })
    .post("/repos/acme/shop/deployments", (body: Record<string, unknown>) => {
      expect(body).toMatchObject({ ref: "c0ffee", environment: "production", auto_merge: false });
      return true;
    })
    .reply(201, { id: 42 });
  for (const status of wanted) {
    nock(API)
      .post("/repos/acme/shop/deployments/42/statuses", (body: Record<string, unknown>) => {
        expect(body).toMatchObject(status);
        return true;
      })
      .reply(201, {});
  }
}

describe("a GitHub deployment is recorded beside the run", () => {
  beforeEach(() => nock.disableNetConnect());
  afterEach(() => {
    const pending = nock.pendingMocks();
    nock.cleanAll();
    nock.enableNetConnect();
    expect(pending).toEqual([]);
  });

  test("success, with the address", async () => {
    expectStatuses({ state: "in_progress" }, { state: "success", environment_url: "https://shop.test/" });
    expect(await recorded(INPUTS, ports(), async () => "succeeded")).toBe("succeeded");
  });

  test("failure, with a reason that GitHub takes", async () => {
    const message = "x".repeat(200);
    expectStatuses({ state: "in_progress" }, { state: "failure", description: "x".repeat(140) });
    const run = recorded(INPUTS, ports(), () => Promise.reject(new Failure(message, { code: "NO" })));
    await expect(run).rejects.toThrow(message);
  });

  test("nothing is sent where nobody asked", async () => {
    expect(await recorded(undefined, ports(), async () => 1)).toBe(1);
  });

  test("no permission: the run goes on, with one warning that names the line to add", async () => {
    nock(API).post("/repos/acme/shop/deployments").reply(403, { message: "Resource not accessible" });
    const all = ports();
    expect(await recorded(INPUTS, all, async () => "succeeded")).toBe("succeeded");
    expect(all.warnings).toHaveLength(1);
    expect(all.warnings[0]).toContain("deployments: write");
  });

  test("the post step closes what a killed step left open, once", async () => {
    nock(API)
      .post(
        "/repos/acme/shop/deployments/42/statuses",
        (body: Record<string, unknown>) => body["state"] === "error",
      )
      .reply(201, {});
    const all = ports();
    all.state.save("github-deployment", 42);
    await closeRecord(INPUTS, all);
    await closeRecord(INPUTS, all);
  });
});
