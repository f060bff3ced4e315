import { createHash } from "node:crypto";

/**
 * Eight hex digits that tell the jobs of a matrix apart. The order of keys does
 * not count; a job without a matrix (`null` on GitHub, `{}` under act) has the hash of `null`.
 */
export function matrixHash(json: string): string {
  let canonical = "null";
  if (json.trim() !== "") {
    try {
      canonical = JSON.stringify(sorted(JSON.parse(json)));
    } catch {
      canonical = json.trim();
    }
  }
  if (canonical === "{}") canonical = "null";
  return createHash("sha256").update(canonical).digest("hex").slice(0, 8);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
