import { RangeReader } from "../image/file-range.ts";
import type { SecretFinding } from "../image/model.ts";
import type { TarPlan } from "../image/tar-rewrite.ts";
import { isSample, LARGEST_SECRET_FILE, mayBeSecretFile, secretFile } from "./secret-files.ts";
import type { SecretHit } from "./secret-search.ts";

/** Findings in one layer: hits of the byte search under the files that they lie in, and files that are secrets. */
export function layerSecrets(plan: TarPlan, hits: readonly SecretHit[], layerName: string): SecretFinding[] {
  const findings = new Map<string, SecretFinding>();
  const add = (what: string, path: string) => {
    const where = `/${path} in ${layerName}`;
    findings.set(`${what} ${where}`, { what, where });
  };
  for (const hit of hits) {
    const path = pathAt(plan, hit.offset);
    if (hit.given || !isSample(path)) add(hit.what, path);
  }
  for (const { what, path } of secretFilesOf(plan)) add(what, path);
  return [...findings.values()];
}

function secretFilesOf(plan: TarPlan): { readonly what: string; readonly path: string }[] {
  const suspects = plan.members.filter(
    ({ entry }) => entry.type === "0" && entry.size <= LARGEST_SECRET_FILE && mayBeSecretFile(entry.path),
  );
  if (suspects.length === 0) return [];
  const reader = new RangeReader(plan.source);
  try {
    return suspects.flatMap(({ entry }) => {
      const what = secretFile(entry.path, reader.read(entry.dataStart, entry.size));
      return what === undefined ? [] : [{ what, path: entry.path }];
    });
  } finally {
    reader.close();
  }
}

/** The member that the position of the new tar lies in; its headers count as its own. */
function pathAt(plan: TarPlan, offset: number): string {
  let low = 0;
  let high = plan.members.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((plan.members[middle]?.start ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return plan.members[low]?.entry.path ?? "";
}
