import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Site } from "./site.ts";

/** A program that starts itself again in a session of its own; the first process then does what `after` says. */
function detached(site: Site, version: string, after: string): void {
  site.build(version);
  const path = join(site.runner.workspace, "build/main");
  const [first, ...rest] = readFileSync(path, "utf8").split("\n");
  const fork = `require("node:child_process").spawn(process.execPath, [__filename, "second"], { detached: true, stdio: "ignore" }).unref(); ${after}`;
  writeFileSync(
    path,
    `${first}\nif (process.argv[2] !== "second") { ${fork} } else {\n${rest.join("\n")}\n}\n`,
  );
}

describe("processes that leave the session of their release", () => {
  let site: Site;

  beforeEach(async () => {
    site = await Site.open();
    site.build("base");
    expect((await site.deploy("base")).outputs["outcome"]).toBe("succeeded");
  });

  afterEach(async () => {
    await site.close();
  });

  test("a daemon is no service: it is stopped, and what ran before serves again", async () => {
    detached(site, "daemon", "process.exit(0);");
    const result = await site.deploy("daemon");
    expect(result.outputs).toMatchObject({
      outcome: "rolled-back",
      "failure-code": "START_FAILED",
      "failure-reason": expect.stringContaining("must stay in the foreground"),
    });
    expect(await site.ask()).toMatchObject({ version: "base" });
    expect(site.processes()).toHaveLength(1);
  });

  test("a detached child that listens belongs to its release, and goes with it", async () => {
    detached(site, "pair", 'setInterval(() => {}, 1000); process.on("SIGTERM", () => process.exit(0));');
    expect((await site.deploy("pair")).outputs["outcome"]).toBe("succeeded");
    expect(site.processes()).toHaveLength(2);
    site.build("next");
    expect((await site.deploy("next")).outputs["outcome"]).toBe("succeeded");
    expect(await site.ask()).toMatchObject({ version: "next" });
    expect(site.processes()).toHaveLength(1);
  });

  test("the command's program is made executable however it is written, and beside the listed files", async () => {
    site.build("modes");
    const build = join(site.runner.workspace, "build");
    mkdirSync(join(build, "bin"));
    renameSync(join(build, "main"), join(build, "bin/serve"));
    chmodSync(join(build, "bin/serve"), 0o644);
    const commands = ["bin/serve", "./bin/serve", "GREETING=hello ./bin/serve", "exec ./bin/serve"];
    for (const [index, command] of commands.entries()) {
      const result = await site.deploy(`modes-${index}`, { command, executable: "version.txt" });
      expect([command, result.outputs["outcome"]]).toEqual([command, "succeeded"]);
    }
  });
});
