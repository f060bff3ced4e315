/** Bytes of each unit; KB is 1000 as registries count, KiB 1024. */
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: 1000,
  m: 1000 ** 2,
  mb: 1000 ** 2,
  g: 1000 ** 3,
  gb: 1000 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

/** Bytes of `50MB`, `1.5 GiB` or `1000`; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = UNITS[(found?.[2] ?? "").toLowerCase()];
  if (!found || unit === undefined) return undefined;
  const bytes = Math.round(Number(found[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes of Docker's own notation (`64m`), whose units are powers of 1024; undefined for anything else. */
export function parseMemory(text: string): number | undefined {
  const found = /^(\d+)\s*([bkmg]?)b?$/i.exec(text.trim());
  if (!found) return undefined;
  const power = ["b", "k", "m", "g"].indexOf((found[2] || "b").toLowerCase());
  const bytes = Number(found[1]) * 1024 ** power;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A size as people read it: `850 B`, `4.2 MB`; units of 1000. */
export function formatSize(bytes: number): string {
  if (Math.abs(bytes) < 1000) return `${bytes} B`;
  let value = bytes;
  for (const unit of ["kB", "MB", "GB", "TB"]) {
    value /= 1000;
    if (Math.abs(value) < 999.95 || unit === "TB") return `${value.toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}
