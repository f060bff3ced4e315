import { once } from "node:events";
import { createReadStream, createWriteStream, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Failure, messageOf } from "../../../lib/errors.ts";
import { checkLinks, type Entry, hashFile, safePath } from "./manifest.ts";
import { readTar } from "./tar-read.ts";
import { readZip } from "./zip-read.ts";

/** What a reader of archives hands over, in the archive's order. */
export type Member =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mode: number;
      readonly content: AsyncIterable<Buffer>;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  /** A second name of an earlier file. */
  | { readonly kind: "same"; readonly path: string; readonly target: string }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "other"; readonly path: string; readonly what: string };

/** Whether a name is that of an archive that is unpacked. */
export function isArchive(name: string): boolean {
  return /\.(tar|tar\.gz|tgz|zip)$/i.test(name);
}

/**
 * Unpacks an archive. Its files land in `scratch` under numbers, so that no
 * name in it can reach anything; the names are checked as text. Fails with
 * UNSAFE_ARCHIVE or SOURCE_UNREADABLE.
 */
export async function unpackArchive(path: string, scratch: string): Promise<Entry[]> {
  mkdirSync(scratch, { recursive: true });
  const entries = new Map<string, Entry>();
  const origin = `the archive ${path.slice(path.lastIndexOf("/") + 1)}`;
  try {
    let count = 0;
    for await (const member of members(path)) {
      const name = safePath(member.path, origin);
      if (name === "") continue;
      if (member.kind === "file") entries.set(name, await keep(member, name, join(scratch, String(count++))));
      else addSpecial(entries, member, name, origin);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${origin} cannot be read: ${messageOf(error)}`, {
      code: "SOURCE_UNREADABLE",
      fix: "make the archive again: it is damaged or cut short",
      cause: error,
    });
  }
  const list = withoutFullFolders([...entries.values()]);
  checkLinks(list, origin);
  return list;
}

function members(path: string): AsyncIterable<Member> {
  if (/\.zip$/i.test(path)) return readZip(path);
  const bytes = createReadStream(path, { highWaterMark: 262_144 });
  if (/\.tar$/i.test(path)) return readTar(bytes);
  const plain: Readable = bytes.pipe(createGunzip());
  bytes.on("error", (error) => plain.destroy(error));
  return readTar(plain);
}

async function keep(member: Extract<Member, { kind: "file" }>, path: string, local: string): Promise<Entry> {
  const out = createWriteStream(local, { mode: 0o600 });
  const done = new Promise<void>((resolve, reject) => {
    out.on("finish", () => resolve());
    out.on("error", reject);
  });
  done.catch(() => {});
  for await (const chunk of member.content) {
    if (!out.write(chunk)) await Promise.race([once(out, "drain"), done]);
  }
  out.end();
  await done;
  return {
    kind: "file",
    path,
    mode: member.mode & 0o111 ? 0o755 : 0o644,
    local,
    ...(await hashFile(local, statSync(local).size)),
  };
}

function addSpecial(
  entries: Map<string, Entry>,
  member: Exclude<Member, { kind: "file" }>,
  path: string,
  origin: string,
) {
  if (member.kind === "folder") entries.set(path, { kind: "folder", path });
  else if (member.kind === "link") entries.set(path, { kind: "link", path, target: member.target });
  else if (member.kind === "same") {
    const first = entries.get(safePath(member.target, origin));
    if (first?.kind !== "file")
      throw unsafe(`${origin} holds \`${path}\`, another name of a file that is not in it`);
    entries.set(path, { ...first, path });
  } else throw unsafe(`${origin} holds \`${path}\`, ${member.what}`);
}

function unsafe(message: string): Failure {
  return new Failure(message, { code: "UNSAFE_ARCHIVE", fix: "leave it out of the archive" });
}

/** A folder that has something in it needs no entry of its own. */
function withoutFullFolders(entries: readonly Entry[]): Entry[] {
  const parents = new Set<string>();
  for (const { path } of entries) {
    for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1))
      parents.add(path.slice(0, cut));
  }
  return entries.filter((entry) => entry.kind !== "folder" || !parents.has(entry.path));
}
