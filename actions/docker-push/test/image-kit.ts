import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import { pack } from "tar-stream";

/** The header that tar-stream's packer takes. */
type Header = Parameters<ReturnType<typeof pack>["entry"]>[0];

/** A member for `tarOf`; `content` is for files only. */
export interface Member extends Omit<Header, "mtime"> {
  readonly content?: string | Buffer;
  /** Seconds since the epoch. */
  readonly time?: number;
}

/** A tar written by a library that is not ours. */
export async function tarOf(members: readonly Member[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, time, ...header } of members) {
    const entry = { uid: 0, gid: 0, mode: 0o644, mtime: new Date((time ?? 0) * 1000), ...header };
    if (content === undefined) tar.entry(entry);
    else tar.entry(entry, typeof content === "string" ? Buffer.from(content) : content);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed when the tests of the file are over. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "goci-image-"));
  made.push(folder);
  return folder;
}

/** A config for these layers. */
export function configOf(layers: readonly Buffer[], more: Readonly<Record<string, unknown>> = {}) {
  return {
    os: "linux",
    architecture: "amd64",
    config: { Env: ["PATH=/bin"] },
    rootfs: { type: "layers", diff_ids: layers.map(digestOf) },
    ...more,
  };
}

/** An archive as `docker save` of engine 20.10 writes it. */
export async function dockerArchive(
  layers: readonly Buffer[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Buffer> {
  const config = JSON.stringify(configOf(layers, more));
  const names = layers.map((_, index) => `layer${index}/layer.tar`);
  return tarOf([
    ...layers.map((content, index) => ({ name: names[index] ?? "", content })),
    { name: "config.json", content: config },
    {
      name: "manifest.json",
      content: JSON.stringify([{ Config: "config.json", RepoTags: null, Layers: names }]),
    },
  ]);
}

/** Writes the bytes to a file of their own and returns its path. */
export function fileOf(bytes: Buffer | string, folder = makeFolder(), name = "file.tar"): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A moment before which nothing in these tests was made. */
export const COMMIT_TIME = 1_700_000_000;

/** All bytes of a stream. */
export async function bytesOf(stream: AsyncIterable<unknown> | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
