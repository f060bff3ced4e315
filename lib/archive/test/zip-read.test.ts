import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { writeZip } from "../../github/zip.ts";
import { readZipDirectory, zipContent } from "../zip-read.ts";

const folder = mkdtempSync(join(tmpdir(), "goci-zip-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function contents(path: string): Promise<Record<string, string>> {
  const handle = await open(path, "r");
  try {
    const found: Record<string, string> = {};
    for (const entry of await readZipDirectory(handle)) {
      const pieces: Buffer[] = [];
      for await (const piece of zipContent(handle, path, entry)) pieces.push(piece);
      found[entry.path] = Buffer.concat(pieces).toString("utf8");
    }
    return found;
  } finally {
    await handle.close();
  }
}

describe("a ZIP is believed only as far as it holds together", () => {
  const good = join(folder, "good.zip");
  const changed = (name: string, change: (bytes: Buffer) => Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, change(Buffer.from(readFileSync(good))));
    return path;
  };

  test("what was written is read", async () => {
    writeFileSync(join(folder, "one.txt"), "first");
    writeFileSync(join(folder, "two.txt"), "");
    await writeZip(good, folder, ["one.txt", "two.txt"]);
    expect(await contents(good)).toEqual({ "one.txt": "first", "two.txt": "" });
  });

  test.each<[string, (bytes: Buffer) => Buffer, string]>([
    ["content that changed", (bytes) => flip(bytes, bytes.indexOf("first")), "`one.txt` is damaged"],
    ["an end that is missing", (bytes) => bytes.subarray(0, bytes.length - 30), "it is cut off"],
    [
      "a damaged directory",
      (bytes) => flip(bytes, bytes.lastIndexOf("PK\u0001\u0002")),
      "its directory is damaged",
    ],
    ["a file header that is not there", (bytes) => flip(bytes, 0), "`one.txt` is not where it should be"],
    ["no ZIP at all", () => Buffer.from("hello"), "it is not a ZIP file"],
  ])("%s is an error", async (name, change, message) => {
    await expect(contents(changed(`${name.replace(/\W/g, "-")}.zip`, change))).rejects.toThrow(message);
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  return bytes;
}
