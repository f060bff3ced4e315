import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tarEnd, tarHeader, tarPadding } from "../../../lib/archive/tar-header.ts";
import { Failure } from "../../../lib/errors.ts";
import { SMALL_BYTES } from "./manifest.ts";

/** What goes into a tar stream. */
export type TarItem =
  | { readonly kind: "text"; readonly path: string; readonly text: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mode: number;
      readonly size: number;
      readonly local: string;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "folder"; readonly path: string };

const CHUNK = 262_144;

/** A tar stream of the items, with owner and times at zero: the same content is the same bytes. */
export async function* writeTar(items: Iterable<TarItem>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for (const item of items) {
    for await (const piece of member(item)) {
      pending.push(piece);
      size += piece.length;
      if (size < CHUNK) continue;
      yield Buffer.concat(pending, size);
      pending = [];
      size = 0;
    }
  }
  yield Buffer.concat([...pending, tarEnd()]);
}

async function* member(item: TarItem): AsyncGenerator<Buffer> {
  if (item.kind === "text") {
    const bytes = Buffer.from(item.text);
    yield tarHeader({ path: item.path, type: "file", mode: 0o644, size: bytes.length });
    yield bytes;
    yield tarPadding(bytes.length);
  } else if (item.kind === "file") {
    yield tarHeader({ path: item.path, type: "file", mode: item.mode, size: item.size });
    yield* content(item.local, item.size);
    yield tarPadding(item.size);
  } else if (item.kind === "link")
    yield tarHeader({ path: item.path, type: "link", mode: 0o777, size: 0, link: item.target });
  else yield tarHeader({ path: `${item.path}/`, type: "folder", mode: 0o755, size: 0 });
}

async function* content(local: string, size: number): AsyncGenerator<Buffer> {
  if (size <= SMALL_BYTES) {
    const bytes = readFileSync(local);
    if (bytes.length < size) throw changed(local);
    yield bytes.subarray(0, size);
    return;
  }
  const handle = await open(local, "r");
  try {
    let left = size;
    while (left > 0) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(CHUNK, left)), 0);
      if (bytesRead === 0) throw changed(local);
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function changed(local: string): Failure {
  return new Failure(`${local} became shorter while it was being sent`, {
    code: "UPLOAD_FAILED",
    fix: "let nothing write to the source while it is being deployed",
  });
}
