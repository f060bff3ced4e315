import { RemoteError } from "../../../../lib/errors.ts";
import type { Repository } from "../registry/names.ts";
import type { PlannedTag } from "../tags/plan.ts";
import type { Overwrite, PushJob, PushPorts } from "./model.ts";

/** One tag of one repository and what it names now. */
export interface TagState extends PlannedTag {
  readonly repository: Repository;
  /** Digest that it names now, empty when it does not exist. */
  readonly before: string;
}

/** Lists longer than this many pages cost more than asking for each tag. */
const PAGES = 2;

/**
 * What every tag names now, in the order in which tags are set: all
 * repositories' first tag, then their second. The tag list tells in one
 * request which tags are new; only those that exist are asked for one by one.
 */
export async function readTags(job: PushJob, ports: PushPorts): Promise<TagState[]> {
  const states = new Map<string, TagState>();
  for (const repository of job.repositories) {
    const client = ports.client(repository);
    const list = job.tags.length > 1 ? await client.listTagsWithin(repository.path, PAGES) : undefined;
    const reads = job.tags.map(async (tag) => {
      const exists = list === undefined || list.includes(tag.tag);
      const head = exists ? await client.headManifest(repository.path, tag.tag) : undefined;
      states.set(keyOf(repository, tag), { ...tag, repository, before: head?.digest ?? "" });
    });
    await settled(reads);
  }
  return job.tags.flatMap((tag) =>
    job.repositories.flatMap((repository) => states.get(keyOf(repository, tag)) ?? []),
  );
}

/** Waits for all, then throws the first failure: nothing goes on behind the caller's back. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(work)) if (end.status === "rejected") throw end.reason;
}

function keyOf(repository: Repository, tag: PlannedTag): string {
  return `${repository.name}:${tag.tag}`;
}

/**
 * The tags to set: those that name another digest or none. Throws
 * TAG_IMMUTABLE, naming all of them, when the overwrite rule forbids one.
 */
export function planMoves(states: readonly TagState[], digest: string, overwrite: Overwrite): TagState[] {
  const moves = states.filter((state) => state.before !== digest);
  const refused = moves.filter((state) => state.before !== "" && !mayMove(state, overwrite));
  if (refused.length === 0) return moves;
  const named = refused.map((state) => `${state.repository.name}:${state.tag}`).join(", ");
  throw new RemoteError(
    `${named} exist${refused.length === 1 ? "s" : ""} with another digest than ${digest}`,
    {
      code: "TAG_IMMUTABLE",
      fix:
        overwrite === "never"
          ? "push under new tags, or set `overwrite: moving` to let branch, latest, major and minor tags move"
          : "push under a new tag, or set `overwrite: always` to replace what people may have pinned",
      evidence: refused.map(
        (state) => `${state.repository.name}:${state.tag} is ${state.before}, not ${digest}`,
      ),
    },
  );
}

function mayMove({ kind }: TagState, overwrite: Overwrite): boolean {
  return overwrite === "always" || (overwrite === "moving" && kind === "moving");
}
