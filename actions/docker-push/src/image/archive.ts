import { existsSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { messageOf } from "../../../../lib/errors.ts";
import { type FileRange, invalidImage, readRange, wholeFile } from "./file-range.ts";
import type { ImageConfig } from "./model.ts";
import { imagePath, indexTar, type TarEntry } from "./tar-index.ts";
import { unpacked } from "./unpack.ts";

/** An image as an archive holds it; its layers may still be compressed. */
export interface StoredImage {
  readonly config: ImageConfig;
  /** The config as it stands in the archive: parsed and written again it would be another image id. */
  readonly configBytes: Buffer;
  readonly layers: readonly FileRange[];
}

/** The files of an archive, read in place. */
export interface Archive {
  /** For messages. */
  readonly path: string;
  find(name: string): FileRange | undefined;
}

/** Documents (manifests, configs, indexes) are small; a larger one is refused, bytes. */
const LARGEST_DOCUMENT = 8 * 1024 * 1024;

/** Opens an archive: a tar (also gzipped, then unpacked into the folder) or a folder. */
export async function openArchive(path: string, folder: string, signal: AbortSignal): Promise<Archive> {
  if (!existsSync(path)) throw invalidImage(`there is no image archive \`${path}\``);
  if (statSync(path).isDirectory()) return folderArchive(path);
  const range = await unpacked(wholeFile(path), join(folder, "archive.tar"), signal);
  const members = new Map<string, TarEntry>();
  for (const entry of indexTar(range)) members.set(entry.path, entry);
  return { path, find: (name) => findMember(range, members, imagePath(name)) };
}

/** A member, through symbolic links: engines before 25 store a layer that occurs twice as a link. */
function findMember(
  range: FileRange,
  members: ReadonlyMap<string, TarEntry>,
  name: string,
): FileRange | undefined {
  let current = name;
  for (let hops = 0; hops < 8; hops++) {
    const entry = members.get(current);
    if (entry?.type === "0")
      return { path: range.path, start: range.start + entry.dataStart, size: entry.size };
    if (entry?.type !== "1" && entry?.type !== "2") return undefined;
    current = entry.type === "1" ? entry.link : resolved(current, entry.link);
  }
  return undefined;
}

function resolved(from: string, link: string): string {
  const parts = link.startsWith("/") ? [] : from.split("/").slice(0, -1);
  for (const part of link.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function folderArchive(path: string): Archive {
  const root = realpathSync(path);
  return {
    path,
    find: (name) => {
      const file = join(root, imagePath(name));
      if (!existsSync(file)) return undefined;
      const real = realpathSync(file);
      return real.startsWith(root + sep) && statSync(real).isFile() ? wholeFile(real) : undefined;
    },
  };
}

/** A JSON document of the archive and its bytes; throws IMAGE_INVALID when it is missing or broken. */
export function readDocument(
  archive: Archive,
  name: string,
): { readonly bytes: Buffer; readonly json: unknown } {
  const range = archive.find(name);
  if (!range) throw invalidImage(`\`${archive.path}\` lacks ${name}`);
  const bytes = readRange(range, LARGEST_DOCUMENT);
  try {
    return { bytes, json: JSON.parse(bytes.toString()) as unknown };
  } catch (error) {
    throw invalidImage(`${name} in \`${archive.path}\` is no JSON: ${messageOf(error)}`, error);
  }
}

/** Checks the little of a config that everything else rests on. */
export function asConfig(json: unknown, layers: number, path: string): ImageConfig {
  const config = json as Partial<ImageConfig> | null;
  const diffIds = config?.rootfs?.diff_ids;
  if (!Array.isArray(diffIds) || diffIds.length !== layers)
    throw invalidImage(`\`${path}\`: the config lists ${diffIds?.length ?? 0} layers, there are ${layers}`);
  return config as ImageConfig;
}
