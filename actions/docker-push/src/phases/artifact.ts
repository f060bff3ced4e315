import { createReadStream, createWriteStream } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";
import type { RunContext } from "../../../../lib/action.ts";
import { Failure, messageOf } from "../../../../lib/errors.ts";
import type { ArtifactStore } from "../../../../lib/github/artifact-store.ts";
import { openArtifactStore } from "../../../../lib/github/artifacts.ts";
import type { ArtifactInputs } from "../inputs/model.ts";

type Ports = Pick<RunContext, "log" | "env" | "github" | "draft" | "signal">;

/**
 * Puts the files of an earlier job's artifact where the build expects them: the
 * very bytes that were tested. An archive (.tar, .tar.gz, .tgz) is unpacked, anything
 * else is copied as it is. Errors: those of the store, `ARTIFACT_MISMATCH` for another digest.
 */
export async function placeArtifact(
  artifact: ArtifactInputs,
  ports: Ports,
  store: ArtifactStore = openArtifactStore(ports),
): Promise<void> {
  await mkdir(ports.github.temp, { recursive: true });
  const scratch = await mkdtemp(join(ports.github.temp, "goci-artifact-"));
  try {
    const download = join(scratch, "download");
    await mkdir(download);
    const fetched = await store.download(artifact.name, download, artifact.digest || undefined);
    const isArchive = fetched.files.length === 1 && /\.(tar|tar\.gz|tgz)$/.test(fetched.path);
    const unpacked = join(scratch, "unpacked");
    const count = isArchive
      ? await unpack(fetched.path, unpacked, artifact.name, ports.signal)
      : fetched.files.length;
    await mkdir(artifact.folder, { recursive: true });
    await cp(isArchive ? unpacked : download, artifact.folder, { recursive: true, verbatimSymlinks: true });
    ports.log.info(`artifact ${artifact.name}: ${count} files ${fetched.digest}`);
    if (fetched.digest !== "") {
      ports.draft.used({ type: "artifact", name: artifact.name, digest: fetched.digest });
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Unpacks into a folder of its own; what would leave it is refused before anything is written outside. */
async function unpack(file: string, folder: string, name: string, signal: AbortSignal): Promise<number> {
  const links: [path: string, target: string][] = [];
  let files = 0;
  await mkdir(folder);
  const packed = createReadStream(file, { signal });
  const reader = extract();
  const plain = file.endsWith(".tar") ? packed : packed.pipe(createGunzip());
  for (const stream of [packed, plain]) stream.on("error", (error: Error) => reader.destroy(error));
  try {
    for await (const entry of plain.pipe(reader)) {
      const { header } = entry;
      const path = inside(header, name);
      if (header.type === "directory") await mkdir(join(folder, path), { recursive: true });
      else if (header.type === "symlink") links.push([path, header.linkname ?? ""]);
      else if (header.type === "file" || header.type === "contiguous-file") {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await pipeline(entry, createWriteStream(join(folder, path)));
        await chmod(join(folder, path), (header.mode ?? 0o644) & 0o777);
        files++;
      } else throw refused(name, `\`${header.name}\` is a ${header.type}`);
      entry.resume();
    }
    // Last, so that no file is written through a link.
    for (const [path, target] of links) await link(folder, path, target, name);
  } catch (error) {
    if (error instanceof Failure || signal.aborted) throw error;
    throw refused(name, messageOf(error), error);
  }
  return files + links.length;
}

function inside(header: Header, name: string): string {
  const path = header.name.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  if (path.startsWith("/") || path.split("/").includes("..")) {
    throw refused(name, `\`${header.name}\` lies outside of it`);
  }
  return path;
}

async function link(folder: string, path: string, target: string, name: string): Promise<void> {
  const depth = path.split("/").length - 1;
  const climbs = target.split("/").filter((part) => part === "..").length;
  if (target.startsWith("/") || climbs > depth) throw refused(name, `\`${path}\` points outside of it`);
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await symlink(target, join(folder, path));
}

function refused(name: string, why: string, cause?: unknown): Failure {
  return new Failure(`the artifact \`${name}\` cannot be unpacked: ${why}`, {
    code: "ARTIFACT_DOWNLOAD_FAILED",
    fix: "pass an artifact that build-test made in this run, or a .tar.gz of plain files",
    ...(cause === undefined ? {} : { cause }),
  });
}
