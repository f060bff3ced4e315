import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Compressed, gzip } from "../src/image/gzip.ts";
import { digestOf } from "./image-kit.ts";

const MIB = 1024 * 1024;
const never = new AbortController().signal;

async function compress(bytes: Buffer): Promise<{ readonly out: Buffer; readonly told: Compressed }> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += MIB) chunks.push(bytes.subarray(at, at + MIB));
  const parts: Buffer[] = [];
  const stream = gzip(chunks, never);
  for (;;) {
    const next = await stream.next();
    if (next.done) return { out: Buffer.concat(parts), told: next.value };
    parts.push(next.value);
  }
}

test.each([0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB, 9 * MIB + 17])("%d bytes come back whole", async (size) => {
  const half = randomBytes(Math.ceil(size / 2));
  // Half noise, half repetition over piece borders: both kinds of block, and the dictionary.
  const bytes = Buffer.concat([half, half]).subarray(0, size);
  const { out, told } = await compress(bytes);
  expect(gunzipSync(out).equals(bytes)).toBe(true);
  expect(execFileSync("gzip", ["-dc"], { input: out, maxBuffer: 1 << 26 }).equals(bytes)).toBe(true);
  expect(told).toEqual({ size: out.length, digest: digestOf(out) });
});

test("the same content is the same bytes, and nothing of the moment is in them", async () => {
  const bytes = Buffer.from("line\n".repeat(900_000));
  const one = await compress(bytes);
  const other = await compress(Buffer.from(bytes));
  expect(other.told.digest).toBe(one.told.digest);
  expect(one.out.subarray(0, 10).toString("hex")).toBe("1f8b08000000000000ff");
});

test("pieces know the end of the former one", async () => {
  const first = Buffer.from(
    randomBytes(MIB)
      .toString("base64")
      .slice(0, MIB / 2),
  );
  const repeated = first.subarray(first.length - 30_000);
  const alone = await compress(first);
  const both = await compress(Buffer.concat([first, repeated]));
  expect(both.out.length - alone.out.length).toBeLessThan(2000);
});

test("noise between compressible parts is stored as it is, and the rest is not", async () => {
  const text = Buffer.from("the same line again\n".repeat(60_000)).subarray(0, MIB);
  const { out } = await compress(Buffer.concat([text, randomBytes(MIB), text]));
  expect(out.length).toBeGreaterThan(MIB);
  expect(out.length).toBeLessThan(MIB * 1.02);
  // A few bytes of a kind are no noise, however few they are.
  expect((await compress(Buffer.from("ab".repeat(100)))).out.length).toBeLessThan(60);
});

test("any content comes back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (content) => {
      const bytes = Buffer.from(content);
      expect(gunzipSync((await compress(bytes)).out).equals(bytes)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("a cancel ends it", async () => {
  const chunks = Array.from({ length: 20 }, () => Buffer.alloc(MIB));
  const stream = gzip(chunks, AbortSignal.abort(new Error("stop here")));
  await expect(
    (async () => {
      for await (const _ of stream);
    })(),
  ).rejects.toThrow("stop here");
});
