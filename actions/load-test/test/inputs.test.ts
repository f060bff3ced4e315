import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { UserError } from "../../../lib/errors.ts";
import { readGitHubContext } from "../../../lib/github-context.ts";
import { InputReader } from "../../../lib/inputs.ts";
import { Mask } from "../../../lib/mask.ts";
import { type LoadInputs, parseInputs } from "../src/inputs.ts";
import { OUTPUTS } from "../src/outputs.ts";
import { planLines } from "../src/plan.ts";

interface ActionFile {
  readonly inputs: Record<string, { readonly default?: string; readonly description?: string }>;
  readonly outputs: Record<string, { readonly description?: string }>;
}

const ACTION = parse(readFileSync(new URL("../action.yml", import.meta.url), "utf8")) as ActionFile;

function readerOf(given: Record<string, string>, masked: string[] = []): InputReader {
  const env = Object.fromEntries(
    [
      ...Object.entries(ACTION.inputs).map(([name, { default: value }]) => [name, value ?? ""]),
      ...Object.entries(given),
    ].map(([name, value]) => [`INPUT_${name?.toUpperCase()}`, value]),
  );
  return new InputReader(env, new Mask((secret) => masked.push(secret)));
}

function read(given: Record<string, string>, masked: string[] = []): LoadInputs {
  const reader = readerOf(given, masked);
  const inputs = parseInputs(reader, readGitHubContext({}));
  reader.finish();
  return inputs;
}

function problems(given: Record<string, string>): readonly string[] {
  try {
    read(given);
    return [];
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
}

const URL_ONLY = { url: "http://shop.example" };

describe("action.yml", () => {
  test("its inputs and defaults are those that the code reads", () => {
    const reader = readerOf({});
    parseInputs(reader, readGitHubContext({}));
    reader.bool("summary", true);
    const used = Object.fromEntries(reader.uses.map(({ name, fallback }) => [name, fallback]));
    const declared = Object.fromEntries(
      Object.entries(ACTION.inputs).map(([name, { default: value }]) => [name, value ?? ""]),
    );
    expect(used).toEqual(declared);
  });

  test("its outputs are those that the code sets, all described", () => {
    expect(Object.keys(ACTION.outputs)).toEqual([...OUTPUTS]);
    const all = [...Object.values(ACTION.inputs), ...Object.values(ACTION.outputs)];
    expect(all.filter(({ description }) => !description?.endsWith("."))).toEqual([]);
  });
});

describe("model", () => {
  test.each([
    [{}, { kind: "closed", users: 10, spawnRate: 10 }],
    [
      { users: "30", "spawn-rate": "5" },
      { kind: "closed", users: 30, spawnRate: 5 },
    ],
    [{ rate: "200" }, { kind: "open", rate: 200, profile: { kind: "constant" } }],
    [{ profile: "ramp:5-50" }, { kind: "open", rate: 5, profile: { kind: "ramp", from: 5, to: 50 } }],
    [{ profile: "steps:7,9" }, { kind: "open", rate: 7, profile: { kind: "steps", rates: [7, 9] } }],
    [
      { rate: "10", profile: "spike:90" },
      { kind: "open", rate: 10, profile: { kind: "spike", peak: 90 } },
    ],
  ])("%j", (given, model) => {
    expect(read({ ...URL_ONLY, ...given }).model).toEqual(model);
  });
});

test("`rate` decides: `users` and `spawn-rate` beside it are told to play no part", () => {
  const given = { ...URL_ONLY, rate: "200", users: "30", "spawn-rate": "5" };
  expect(read(given)).toMatchObject({ model: { kind: "open", rate: 200 }, idle: ["users", "spawn-rate"] });
  expect(planLines(read(given), 1).join("\n")).toMatch(/`users` plays no part/);
  expect(read({ ...URL_ONLY, rate: "200", users: "0" }).idle).toEqual([]);
});

describe("secrets in the URL", () => {
  test("a user name and password are sent as the header they stand for, and shown nowhere", () => {
    const masked: string[] = [];
    const { base, endpoints } = read({ url: "http://me:p%40ssw0rd@h/a" }, masked);
    const pair = Buffer.from("me:p@ssw0rd").toString("base64");
    expect(endpoints[0]?.headers).toEqual([["Authorization", `Basic ${pair}`]]);
    expect(base.text).toBe("http://h/a");
    expect(masked).toEqual(expect.arrayContaining(["p%40ssw0rd", "p@ssw0rd", pair]));
    const own = read({ url: "http://me:p%40ssw0rd@h/a", headers: "authorization=Bearer mine" });
    expect(own.endpoints[0]?.headers).toEqual([["authorization", "Bearer mine"]]);
  });

  test.each(["http://me:s3cr3tpw@[bad", "ftp://me:s3cr3tpw@h/", "http://me:s3cr3t/pw@h:x/"])(
    "one that cannot be used is told without them: %s",
    (url) => {
      expect(problems({ url }).join()).not.toMatch(/s3cr3t|pw@/);
    },
  );

  test("credentials in a query are masked, other values are not", () => {
    const masked: string[] = [];
    read({ url: "http://h/a?token=abc%2Fdefgh&page=nineteen" }, masked);
    read({ ...URL_ONLY, path: "/x?api_key=k-123456&monkey=banana&key=12345" }, masked);
    read({ ...URL_ONLY, requests: "- path: /y?access_token=t-123456" }, masked);
    expect(masked).toEqual(expect.arrayContaining(["abc%2Fdefgh", "abc/defgh", "k-123456", "t-123456"]));
    for (const value of ["nineteen", "banana", "12345"]) expect(masked).not.toContain(value);
  });
});

describe("requests", () => {
  test("without a list: one GET of url and path", () => {
    const { endpoints } = read({
      url: "https://shop.example:8443/base/",
      path: "/a?b=1",
      headers: "X-A=b=c",
    });
    expect(endpoints).toEqual([
      expect.objectContaining({
        name: "GET /base/a?b=1",
        method: "GET",
        path: "/base/a?b=1",
        headers: [["X-A", "b=c"]],
      }),
    ]);
  });

  test.each([
    ["http://h", "/", "/"],
    ["http://h/", "/x", "/x"],
    ["http://h/bruno", "/", "/bruno"],
    ["http://h/base", "/x", "/base/x"],
    ["http://h/a?q=1", "/", "/a?q=1"],
  ])("%s and %s", (url, path, full) => {
    expect(read({ url, path }).endpoints[0]?.path).toBe(full);
  });

  test("a list with everything", () => {
    const requests = `
- path: /items
- method: post
  path: /items
  name: create
  weight: 0.5
  headers: { X-Two: 2, Authorization: Bearer abcdef }
  body: { name: Żółw }
  expect: { status: "201,300-302", contains: id }
`;
    const masked: string[] = [];
    const { endpoints } = read({ ...URL_ONLY, requests, headers: "X-Two=one" }, masked);
    expect(endpoints).toEqual([
      {
        name: "GET /items",
        method: "GET",
        path: "/items",
        weight: 1,
        headers: [["X-Two", "one"]],
        body: "",
        expect: { statuses: [[200, 399]], contains: "" },
      },
      {
        name: "create",
        method: "POST",
        path: "/items",
        weight: 0.5,
        headers: [
          ["Content-Type", "application/json"],
          ["X-Two", "2"],
          ["Authorization", "Bearer abcdef"],
        ],
        body: Buffer.from('{"name":"Żółw"}').toString("latin1"),
        expect: {
          statuses: [
            [201, 201],
            [300, 302],
          ],
          contains: "id",
        },
      },
    ]);
    expect(masked).toContain("Bearer abcdef");
  });
});

describe("bad input", () => {
  test("one message names every problem", () => {
    const found = problems({
      url: "ftp://x",
      rate: "fast",
      profile: "wave",
      duration: "soon",
      thresholds: "p95<300\nspeed>1",
      workers: "many",
      engine: "locust",
      "pr-comment": "true",
      "allow-hosts": "bad host",
      baseline: "artifact:main",
      "terraform-directory": "env",
      mode: "sweep",
    });
    for (const name of [
      "url",
      "rate",
      "profile",
      "duration",
      "thresholds",
      "workers",
      "engine",
      "pr-comment",
      "allow-hosts",
      "baseline",
      "terraform-directory",
      "mode",
    ]) {
      expect(found).toContainEqual(expect.stringContaining(`\`${name}\``));
    }
    expect(found.filter((text) => text.startsWith("`thresholds`"))).toHaveLength(2);
  });

  test.each([
    [{}, /`url` is required/],
    [{ url: "shop.example" }, /absolute URL/],
    [{ ...URL_ONLY, path: "items" }, /`path`.*start with one/],
    [{ ...URL_ONLY, path: "/a b" }, /white space/],
    [{ url: "http://h?a=1", path: "/x" }, /query/],
    [{ url: "http://me:a%@h" }, /write %25/],
    [{ ...URL_ONLY, users: "0" }, /`users` is `0`/],
    [{ ...URL_ONLY, "spawn-rate": "Infinity" }, /`spawn-rate`/],
    [{ ...URL_ONLY, profile: "ramp:1-5", users: "20" }, /contradict/],
    [{ ...URL_ONLY, profile: "spike:9" }, /needs `rate`/],
    [{ ...URL_ONLY, rate: "20001" }, /20001 requests a second: `max-rate` allows 20000/],
    [{ ...URL_ONLY, profile: "ramp:1-30000" }, /30000 requests a second: `max-rate`/],
    [{ ...URL_ONLY, duration: "16m" }, /`max-duration`/],
    [{ ...URL_ONLY, "warm-up": "16m" }, /`max-duration`/],
    [
      { ...URL_ONLY, rate: "100", duration: "10s", "max-requests": "1000" },
      /1500 requests in all: `max-requests` allows 1000/,
    ],
    [{ ...URL_ONLY, users: "20", "max-in-flight": "19" }, /`max-in-flight`/],
    [{ ...URL_ONLY, "allow-hosts": "other.example" }, /`allow-hosts` does not hold/],
    [{ url: "http://shop.example:8080", "allow-hosts": "shop.example:80" }, /`allow-hosts` does not hold/],
    [{ ...URL_ONLY, "spawn-rate": "slow" }, /`spawn-rate`/],
    [{ ...URL_ONLY, headers: "Content-Length=5" }, /set by the client/],
    [{ ...URL_ONLY, headers: "Bad Name=5" }, /not a header name/],
    [{ ...URL_ONLY, requests: "- path: x" }, /item 1: path/],
    [{ ...URL_ONLY, requests: "- pth: /x" }, /item 1: `pth` is unknown/],
    [{ ...URL_ONLY, requests: "- path: /x\n- path: /x" }, /two items are named/],
    [{ ...URL_ONLY, requests: "- weight: 0" }, /weight/],
    [{ ...URL_ONLY, requests: "- method: BREW" }, /method/],
    [{ ...URL_ONLY, requests: "- expect: { status: 99 }" }, /expect.status/],
    [{ ...URL_ONLY, requests: "path: /x" }, /YAML list/],
    [{ ...URL_ONLY, requests: "- [" }, /not YAML/],
    [{ ...URL_ONLY, requests: "- path: /a", path: "/b" }, /contradict/],
    [{ ...URL_ONLY, thresholds: "GET /x p95<1s" }, /no request named/],
    [{ ...URL_ONLY, locustfile: "a.py" }, /`locustfile`/],
    [{ ...URL_ONLY, "max-regression": "10" }, /percentage/],
  ])("%j", (given, message) => {
    expect(problems(given)).toEqual([expect.stringMatching(message)]);
  });

  test.each([
    [{ url: "http://shop.example:8080", "allow-hosts": "a.example, SHOP.example:8080" }],
    [{ url: "http://127.0.0.1:9", "allow-hosts": "127.0.0.1" }],
    [{ url: "http://[::1]:9", "allow-hosts": "[::1]:9" }],
    [{ url: "http://[::1]:9", "allow-hosts": "::1" }],
  ])("allowed: %j", (given) => {
    expect(problems(given)).toEqual([]);
  });

  test("a header value is never told", () => {
    expect(problems({ ...URL_ONLY, headers: "no equals sign but s3cr3t" }).join()).not.toContain("s3cr3t");
  });
});
