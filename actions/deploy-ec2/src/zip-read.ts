import { open } from "node:fs/promises";
import { readZipDirectory, zipContent } from "../../../lib/archive/zip-read.ts";
import type { Member } from "./unpack.ts";

/** File types in the mode of an entry. */
const LINK = 0o120000;
const TYPE = 0o170000;

/** Reads a ZIP by its central directory: stored and deflated entries, without ZIP64 and encryption. */
export async function* readZip(path: string): AsyncGenerator<Member> {
  const handle = await open(path, "r");
  try {
    for (const entry of await readZipDirectory(handle)) {
      const name = entry.path.replace(/\\/g, "/");
      const mode = entry.mode ?? 0o644;
      if (name.endsWith("/")) {
        yield { kind: "folder", path: name };
        continue;
      }
      const content = zipContent(handle, path, entry);
      if ((mode & TYPE) === LINK) {
        const parts: Buffer[] = [];
        for await (const piece of content) parts.push(piece);
        yield { kind: "link", path: name, target: Buffer.concat(parts).toString("utf8") };
      } else yield { kind: "file", path: name, mode, content };
    }
  } finally {
    await handle.close();
  }
}
