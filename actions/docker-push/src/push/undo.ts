import { messageOf } from "../../../../lib/errors.ts";
import type { Log } from "../../../../lib/log.ts";
import type { ManifestDocument, RegistryClient } from "../registry/client.ts";
import { isDigest } from "../registry/manifests.ts";
import { isTag, parseRepository, type Repository } from "../registry/names.ts";

/** One tag as it was before a run set it; names and digests only. */
export interface TagMove {
  /** The repository's full name. */
  readonly image: string;
  readonly tag: string;
  /** Digest that the tag named before, empty when it did not exist. */
  readonly before: string;
}

/** The tag moves of a run, as its post step must know them to undo them. */
export interface TagMoves {
  /** Digest that the tags were to name. */
  readonly digest: string;
  readonly moves: readonly TagMove[];
}

/** What became of one tag. */
export interface Undone extends TagMove {
  /**
   * `restored` it names its former digest again; `untouched` it still did;
   * `remains` it is new and a registry cannot forget it; `absent` it was never
   * made; `taken` somebody else has moved it meanwhile, so it is left alone;
   * `failed` it could not be put back (or nobody knows).
   */
  readonly result: "restored" | "untouched" | "remains" | "absent" | "taken" | "failed";
  /** Why it failed, empty otherwise. */
  readonly reason: string;
}

/** What an undo works with. */
export interface UndoPorts {
  client(repository: Repository): RegistryClient;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Puts tags back to what they named, last moved first, registries side by side
 * so that a dead one does not keep the others waiting. Compares before it
 * swaps: only a tag that names our digest is touched. Never throws.
 */
export async function undoMoves(saved: TagMoves, ports: UndoPorts): Promise<Undone[]> {
  const groups = new Map<string, [TagMove, Repository][]>();
  for (const move of saved.moves) {
    const parsed = parseRepository(move.image);
    if (!("repository" in parsed)) continue;
    const group = groups.get(parsed.repository.origin) ?? [];
    group.unshift([move, parsed.repository]);
    groups.set(parsed.repository.origin, group);
  }
  const undone = await Promise.all(
    [...groups.values()].map((group) => undoGroup(saved.digest, group, ports)),
  );
  return undone.flat();
}

async function undoGroup(digest: string, group: readonly [TagMove, Repository][], ports: UndoPorts) {
  const results: Undone[] = [];
  for (const [move, repository] of group) {
    const name = `${move.image}:${move.tag}`;
    try {
      const client = ports.client(repository).withSignal(ports.signal);
      const result = await undoMove(client, repository.path, move, digest);
      if (result === "restored") ports.log.info(`${name} is back at ${move.before}`);
      results.push({ ...move, result, reason: "" });
    } catch (error) {
      ports.log.warn(`${name} could not be put back: ${messageOf(error)}`);
      results.push({ ...move, result: "failed", reason: messageOf(error) });
    }
  }
  return results;
}

async function undoMove(
  client: RegistryClient,
  path: string,
  move: TagMove,
  digest: string,
): Promise<Undone["result"]> {
  const now = (await client.headManifest(path, move.tag))?.digest ?? "";
  if (now === move.before) return now === "" ? "absent" : "untouched";
  if (now !== digest) return "taken";
  if (move.before === "") return "remains";
  const former: ManifestDocument | undefined = await client.getManifest(path, move.before);
  if (!former) throw new Error(`its former manifest ${move.before} is no longer there`);
  await client.putManifest(path, move.tag, former);
  return "restored";
}

/** Saved moves as a post step finds them; undefined when there are none or they are not ours. */
export function readMoves(value: unknown): TagMoves | undefined {
  const { digest, moves } = (value ?? {}) as { digest?: unknown; moves?: unknown };
  if (typeof digest !== "string" || !isDigest(digest) || !Array.isArray(moves)) return undefined;
  const good = moves.filter(isMove);
  return good.length === 0 ? undefined : { digest, moves: good };
}

function isMove(value: unknown): value is TagMove {
  const { image, tag, before } = (value ?? {}) as Record<string, unknown>;
  if (typeof image !== "string" || typeof tag !== "string" || typeof before !== "string") return false;
  return "repository" in parseRepository(image) && isTag(tag) && (before === "" || isDigest(before));
}

/** Whether a later try of the undo could still do something. */
export function isUnfinished(undone: readonly Undone[]): boolean {
  return undone.some(({ result }) => result === "failed");
}

/** The undo in lines for evidence; tags that were never touched need none. */
export function describeUndo(undone: readonly Undone[]): string[] {
  return undone.flatMap(({ image, tag, before, result, reason }) => {
    const name = `${image}:${tag}`;
    if (result === "restored") return [`${name} was put back to ${before}`];
    if (result === "remains") return [`${name} is new and remains: a registry cannot forget a tag`];
    if (result === "taken") return [`${name} was moved by somebody else meanwhile and is left alone`];
    if (result === "failed") return [`${name} could not be put back to ${before || "nothing"}: ${reason}`];
    return [];
  });
}
