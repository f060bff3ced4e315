import type { TarPlan } from "./tar-rewrite.ts";

/**
 * For each layer the bytes of its files that a later layer replaces or
 * deletes: they are pulled by everyone and seen by no one.
 */
export function wastedBytes(plans: readonly TarPlan[]): number[] {
  const wasted = plans.map(() => 0);
  const living = new Map<string, { readonly layer: number; readonly size: number }>();
  const lose = (path: string) => {
    const file = living.get(path);
    if (file) wasted[file.layer] = (wasted[file.layer] ?? 0) + file.size;
    living.delete(path);
  };
  for (const [layer, plan] of plans.entries()) {
    // Whiteouts speak of earlier layers only, wherever they stand in theirs.
    for (const { entry } of plan.members) {
      const slash = entry.path.lastIndexOf("/") + 1;
      const name = entry.path.slice(slash);
      if (!name.startsWith(".wh.")) continue;
      const folder = entry.path.slice(0, slash);
      const opaque = name === ".wh..wh..opq";
      if (!opaque) lose(folder + name.slice(4));
      const gone = opaque ? folder : `${folder}${name.slice(4)}/`;
      for (const path of living.keys()) if (path.startsWith(gone)) lose(path);
    }
    for (const { entry } of plan.members) {
      if (entry.type !== "0") continue;
      lose(entry.path);
      living.set(entry.path, { layer, size: entry.size });
    }
  }
  return wasted;
}
