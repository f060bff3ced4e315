import { open } from "node:fs/promises";
import { deflateRawSync } from "node:zlib";
import type { Entry } from "./manifest.ts";

const SAMPLES = 16;
const SAMPLE_BYTES = 16_384;
/** Packing that saves less than this costs more time than it saves. */
const WORTHWHILE = 0.92;

/** Whether a release's content is packed already (images, archives, binaries with compressed parts): judged by samples. */
export async function looksPacked(entries: readonly Entry[]): Promise<boolean> {
  const files = entries.filter((entry) => entry.kind === "file" && entry.size > 0);
  const total = files.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0);
  if (total < SAMPLE_BYTES) return false;
  const chunks: Buffer[] = [];
  let passed = 0;
  let next = 0;
  for (const entry of files) {
    if (entry.kind !== "file") continue;
    const start = passed;
    passed += entry.size;
    while (next < passed && chunks.length < SAMPLES) {
      chunks.push(await sample(entry.local, Math.max(0, next - start)));
      // Samples that overlap would look like repetition.
      next += Math.max(SAMPLE_BYTES, Math.floor(total / SAMPLES));
    }
  }
  const plain = Buffer.concat(chunks);
  return deflateRawSync(plain, { level: 1 }).length > plain.length * WORTHWHILE;
}

async function sample(path: string, position: number): Promise<Buffer> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SAMPLE_BYTES), 0, SAMPLE_BYTES, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
