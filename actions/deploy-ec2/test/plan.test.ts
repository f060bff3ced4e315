import { describe, expect, test } from "@jest/globals";
import { formatBytes } from "../src/bytes.ts";
import { each } from "../src/each.ts";
import { type Facts, parseFacts } from "../src/facts.ts";
import { type HostBefore, planFleet, type Wanted } from "../src/plan.ts";

const FACTS = [
  ...["tar", "gzip", "sha256sum", "setsid"].map((tool) => `has ${tool}`),
  "uid 1000",
  "user deploy",
  "writable yes",
  "parent /opt/shop",
  "free-kb 1000000",
  "free-inodes 5000",
  "current r1",
  "good r1",
  "previous r0",
  "run 5 ci",
  "alive yes",
  "port own",
  "release r0 sha256:0 proven",
  "release r1 sha256:1 proven",
].join("\n");

const WANTED: Wanted = {
  mode: "deploy",
  release: "r2",
  digest: "sha256:2",
  target: "/opt/shop",
  appPort: 8000,
  diskBytes: 1000,
  files: 10,
  runNumber: 6,
  workflow: "ci",
  force: false,
  sudo: "auto",
  batch: () => 1,
  token: "mine",
};

/** A host as FACTS say, with lines put in place of those of the same name. */
function host(lines: string[] = [], extra: Partial<HostBefore> = {}, name = "one"): HostBefore {
  const names = new Set(lines.map((line) => line.split(" ")[0]));
  const kept = FACTS.split("\n").filter((line) => !names.has(line.split(" ")[0]));
  const { facts } = parseFacts([...kept, ...lines].join("\n"));
  return {
    name,
    facts,
    same: false,
    sendFiles: 3,
    sendBytes: 2048,
    reuseBytes: 512,
    diff: ["+ a"],
    ...extra,
  };
}

function plan(hosts: HostBefore[], wanted: Partial<Wanted> = {}) {
  return planFleet({ hosts }, { ...WANTED, ...wanted });
}

describe("the plan", () => {
  test("a change goes back to the release that was proven last", () => {
    expect(plan([host()])).toMatchObject({
      kind: "change",
      change: { release: "r2", batches: [[{ name: "one", release: "r2", previous: "r1", fresh: true }]] },
      lines: ["  one: r2 (from r1); send 3 files, 2.0 kB; reuse 512 B", "+ a"],
      stages: 1,
    });
  });

  test("an unproven `current` is not what one goes back to", () => {
    const left = host(["current r9", "release r1 sha256:1 proven", "release r9 sha256:9 -"]);
    expect(plan([left])).toMatchObject({ change: { batches: [[{ previous: "r1" }]] } });
  });

  test("the first deployment has nothing to go back to", () => {
    const empty = host(["current ", "good ", "previous ", "run ", "alive no", "port none", "release"]);
    expect(plan([empty])).toMatchObject({ change: { batches: [[{ previous: "", fresh: true }]] } });
  });

  test.each<[string, string[], Partial<HostBefore>, string]>([
    ["the same content, running", [], { same: true }, "unchanged"],
    ["the same content, but dead", ["alive no"], { same: true }, "change"],
    ["the same content, but nobody listens", ["port none"], { same: true }, "change"],
    ["the same content, never proven", ["good r0"], { same: true }, "change"],
  ])("%s", (_name, lines, extra, kind) => {
    expect(plan([host(lines, extra)]).kind).toBe(kind);
  });

  test.each<[string, string[], Partial<Wanted>, string]>([
    ["a tool is missing", ["has tar"], {}, "HOST_UNFIT"],
    ["not writable, no sudo", ["writable no"], {}, "PERMISSION_DENIED"],
    ["not writable, sudo not wanted", ["writable no", "sudo yes"], { sudo: "never" }, "PERMISSION_DENIED"],
    ["the root is a file", ["blocked /opt/shop is not a folder"], {}, "PERMISSION_DENIED"],
    ["no room", ["free-kb 1000"], {}, "DISK_FULL"],
    ["no inodes", ["free-inodes 20"], {}, "DISK_FULL"],
    ["the port is somebody's", ["port foreign", "holder nginx (pid 7)"], {}, "PORT_IN_USE"],
    ["a newer run has deployed", ["run 7 ci"], {}, "STALE_RUN"],
    ["the id is taken", [], { release: "r0" }, "RELEASE_IN_USE"],
    ["the running id with other settings", [], { release: "r1", digest: "sha256:1" }, "RELEASE_IN_USE"],
    ["nothing to roll back to", ["previous "], { mode: "rollback", release: "" }, "RELEASE_NOT_FOUND"],
    [
      "an unproven release to roll back to",
      ["release r3 sha256:3 -"],
      { mode: "rollback", release: "r3" },
      "RELEASE_NOT_FOUND",
    ],
  ])("%s: %j", (_name, lines, wanted, code) => {
    expect(plan([host(lines)], wanted)).toMatchObject({ kind: "refused", cause: { code } });
  });

  test.each<[string, string[], Partial<Wanted>]>([
    ["not writable, but sudo works", ["writable no", "sudo yes"], {}],
    ["a newer run of another workflow", ["run 7 release"], {}],
    ["a newer run, with force", ["run 7 ci"], { force: true }],
    ["a file system that counts no inodes", ["free-inodes 0"], {}],
    [
      "who listens while another run deploys is looked at later",
      ["port foreign", "lock 3 other", "lock-holder x"],
      {},
    ],
    ["an unproven leftover of the same name", ["release r2 sha256:9 -"], {}],
  ])("%s is no obstacle", (_name, lines, wanted) => {
    expect(plan([host(lines)], wanted).kind).toBe("change");
  });

  test("a proven release with the same content is switched to, not sent again", () => {
    expect(plan([host()], { release: "r0", digest: "sha256:0" })).toMatchObject({
      change: { batches: [[{ release: "r0", fresh: false }]] },
    });
  });

  test("rollback goes to the one before, each host to its own", () => {
    const other = host(
      ["current r1", "previous r7", "release r7 sha256:7 proven", "release r1 sha256:1 proven"],
      {},
      "two",
    );
    expect(plan([host(), other], { mode: "rollback", release: "", batch: (n) => n })).toMatchObject({
      change: {
        batches: [
          [
            { name: "one", release: "r0" },
            { name: "two", release: "r7" },
          ],
        ],
      },
    });
  });

  test("hosts that run it already are left out of the batches; all refusals are told", () => {
    const hosts = [host([], {}, "a"), host([], { same: true }, "b"), host([], {}, "c"), host([], {}, "d")];
    const result = plan(hosts, { batch: () => 2 });
    expect(result).toMatchObject({
      stages: 2,
      change: { batches: [[{ name: "a" }, { name: "c" }], [{ name: "d" }]] },
    });
    const bad = plan([host(["free-kb 1"], {}, "a"), host(["writable no"], {}, "b")]);
    expect(bad).toMatchObject({
      cause: { code: "DISK_FULL", evidence: [expect.stringContaining("PERMISSION_DENIED: b")] },
    });
  });

  test("facts survive JSON and hold no fingerprint: that one comes from secrets", () => {
    const { facts, fingerprint } = parseFacts(
      "fingerprint abc\ndigest sha256:1\nlock 4 tok\nlock-holder run 9 by mona\ndeploy tok listening\nsupervisor alive",
    );
    expect(fingerprint).toBe("abc");
    expect(JSON.stringify(facts)).not.toContain("abc");
    expect(JSON.parse(JSON.stringify(facts)) as Facts).toEqual(facts);
    expect(facts).toMatchObject({
      lock: { age: 4, token: "tok", holder: "run 9 by mona" },
      deploy: { token: "tok", state: "listening", running: true },
    });
  });
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [15_900_000, "16 MB"],
  [3.2e12, "3.2 TB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("of many items some are worked on at a time, all to their end, and the first error is told", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const work = async (item: number) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running--;
    done.push(item);
    if (item === 3) throw new Error("three");
    return item * 2;
  };
  const items = Array.from({ length: 20 }, (_, index) => index);
  await expect(each(items, work)).rejects.toThrow("three");
  expect(done).toHaveLength(20);
  expect(most).toBe(8);
  expect(await each([1, 2], work)).toEqual([2, 4]);
});
