import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type FaultyPathOptions, openFaultyPath } from "../../../lib/testing/ssh-faults.ts";
import { Site } from "./site.ts";

describe("a network that fails", () => {
  let site: Site;
  let count = 0;

  beforeAll(async () => {
    site = await Site.open();
    site.build("base");
    await site.deploy("base");
  });

  afterAll(async () => {
    await site.close();
  });

  /** Deploys through a path that fails; the pin of the real port is given for the path's. */
  async function through(options: FaultyPathOptions, release: string) {
    const path = await openFaultyPath(site.sshd.port, options);
    const result = await site.deploy(release, {
      host: `127.0.0.1:${path.port}`,
      "known-hosts": "",
      fingerprint: site.sshd.fingerprint,
    });
    await path.close();
    return { result, bytes: path.sent() };
  }

  test("a connection cut at any byte: all or nothing, and the next deployment works", async () => {
    site.build("measure", "good", { noise: noise(300_000) });
    const { bytes } = await through({}, "measure");
    for (const share of [0.02, 0.15, 0.4, 0.7, 0.9, 0.97]) {
      const old = await site.ask();
      const id = `cut-${++count}`;
      site.build(id, "good", { noise: noise(300_000) });
      const { result } = await through({ cutAfter: Math.floor(bytes * share) }, id);
      const now = await site.ask();
      const told = { share, outcome: result.outputs["outcome"], output: result.output };
      if (result.outputs["outcome"] === "succeeded")
        expect({ ...told, version: now?.version }).toMatchObject({ version: id });
      else {
        expect({ ...told, pid: now?.pid, version: now?.version }).toMatchObject({ version: old?.version });
        expect(["failed", "rolled-back"]).toContain(result.outputs["outcome"]);
        if (result.outputs["outcome"] === "failed") expect(now?.pid).toBe(old?.pid);
      }
      expect(site.current()).toBe(`releases/${now?.release}`);
      expect(site.isLocked()).toBe(false);
    }
    site.build("after");
    expect((await site.deploy("after")).outputs["outcome"]).toBe("succeeded");
    expect(site.processes()).toHaveLength(1);
  }, 120_000);

  test("a first connection that is reset is tried again", async () => {
    site.build("again");
    const { result } = await through({ refuse: 2 }, "again");
    expect(result.outputs["outcome"]).toBe("succeeded");
    expect(result.output).toContain("try 3 of 3");
  });
});

/** Text that does not pack well, the same on each call only by its length. */
function noise(length: number): string {
  let text = "";
  while (text.length < length) text += Math.random().toString(36).slice(2);
  return text.slice(0, length);
}
