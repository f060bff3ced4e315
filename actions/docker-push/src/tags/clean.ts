import { createHash } from "node:crypto";

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const LONGEST = 128;

/** Digits of the hash that keeps two names apart which would become one. */
const HASH_DIGITS = 8;

/**
 * Any text as a tag that every registry takes: what is not allowed becomes one
 * `-`, a first `.` or `-` gets a `_` before it, and a name that is cut at 128
 * characters (or of which nothing readable is left) ends in a hash of the
 * whole, so that two long branches do not share a tag. Empty stays empty.
 */
export function cleanTag(text: string): string {
  const allowed = text.replace(/[^A-Za-z0-9._-]+/g, "-");
  if (allowed === "") return "";
  const started = /^[.-]/.test(allowed) ? `_${allowed}` : allowed;
  const isReadable = /[A-Za-z0-9]/.test(started);
  if (started.length <= LONGEST && isReadable) return started;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, HASH_DIGITS);
  return `${started.slice(0, LONGEST - HASH_DIGITS - 1)}-${hash}`;
}
