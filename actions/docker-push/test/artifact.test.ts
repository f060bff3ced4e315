import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type Header, pack } from "tar-stream";
import { openArtifactStore } from "../../../lib/github/artifacts.ts";
import { sha256File } from "../../../lib/github/digest.ts";
import { readGitHubContext } from "../../../lib/github-context.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { ReportDraft } from "../../../lib/report.ts";
import { ActArtifactServer } from "../../../lib/testing/act-artifact-server.ts";
import { placeArtifact } from "../src/phases/artifact.ts";

type Member = readonly [header: Partial<Header> & { name: string }, text?: string];

async function archive(members: readonly Member[]): Promise<Buffer> {
  const packer = pack();
  // The same members are the same bytes, whenever they are packed.
  for (const [header, text] of members) packer.entry({ mtime: new Date(0), ...header }, text ?? "");
  packer.finalize();
  return gzipSync(await buffer(packer));
}

describe("the artifact of an earlier job", () => {
  let folder: string;
  let server: ActArtifactServer;
  let env: Readonly<Record<string, string>>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "goci-artifact-"));
    server = new ActArtifactServer();
    env = { ...(await server.start()), GITHUB_RUN_ID: "1", RUNNER_TEMP: join(folder, "temp") };
  });
  afterEach(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function ports() {
    const draft = new ReportDraft();
    const github = readGitHubContext(env);
    return { env, github, draft, log: new RecordingLog(), signal: new AbortController().signal };
  }

  async function place(members: readonly Member[], digest = ""): Promise<string> {
    const file = join(folder, "build.tar.gz");
    writeFileSync(file, await archive(members));
    await openArtifactStore(ports()).upload("build", folder, ["build.tar.gz"], { retentionDays: 0 });
    await placeArtifact({ name: "build", digest, folder: join(folder, "context") }, ports());
    return join(folder, "context");
  }

  test("is unpacked with its modes and links, and over what is there", async () => {
    writeFileSync(join(folder, "x"), "");
    const context = await place([
      [{ name: "build/", type: "directory" }],
      [{ name: "build/main", mode: 0o755 }, "#!/bin/sh\n"],
      [{ name: "build/current", type: "symlink", linkname: "../build/main" }],
    ]);
    expect(readFileSync(join(context, "build/main"), "utf8")).toBe("#!/bin/sh\n");
    expect(statSync(join(context, "build/main")).mode & 0o777).toBe(0o755);
    expect(readlinkSync(join(context, "build/current"))).toBe("../build/main");
    await place([[{ name: "build/main", mode: 0o644 }, "second"]]);
    expect(readFileSync(join(context, "build/main"), "utf8")).toBe("second");
  });

  test("is refused with another digest, and nothing is placed", async () => {
    const wrong = `sha256:${"0".repeat(64)}`;
    await expect(place([[{ name: "main" }, "x"]], wrong)).rejects.toMatchObject({
      code: "ARTIFACT_MISMATCH",
    });
    expect(existsSync(join(folder, "context"))).toBe(false);
    const right = await sha256File(join(folder, "build.tar.gz"));
    expect(existsSync(await place([[{ name: "main" }, "x"]], right))).toBe(true);
  });

  test.each<[string, readonly Member[]]>([
    ["a file above", [[{ name: "a/../../evil" }, "x"]]],
    ["an absolute file", [[{ name: "/evil" }, "x"]]],
    ["an absolute link", [[{ name: "evil", type: "symlink", linkname: "/etc/passwd" }]]],
    ["a link that climbs", [[{ name: "a/evil", type: "symlink", linkname: "../../x" }]]],
    ["a device", [[{ name: "evil", type: "character-device" }]]],
  ])("is refused whole for %s", async (_what, members) => {
    const good: Member = [{ name: "good" }, "x"];
    await expect(place([good, ...members])).rejects.toMatchObject({ code: "ARTIFACT_DOWNLOAD_FAILED" });
    expect(existsSync(join(folder, "context"))).toBe(false);
    expect(existsSync(join(folder, "evil"))).toBe(false);
  });
});
