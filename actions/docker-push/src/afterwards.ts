import { existsSync, rmSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { Failure } from "../../../lib/errors.ts";
import type { PostContext } from "../../../lib/post.ts";
import { readRegistry } from "./inputs/registry.ts";
import { openRegistries } from "./phases/registries.ts";
import { MOVES_STATE } from "./phases/send.ts";
import { describeUndo, isUnfinished, readMoves, type TagMoves, undoMoves } from "./push/undo.ts";
import { endChildren } from "./strays.ts";
import { FOLDER_PREFIX, FOLDER_STATE } from "./workshop.ts";

/** How long the registries may take to give tags back, milliseconds. */
const UNDO_MS = 60_000;

/** What a run leaves when it is killed: children, credentials on disk, tags that were half moved. */
export async function afterwards(context: PostContext): Promise<void> {
  const folder = ownFolder(context.state.load(FOLDER_STATE), context.github.temp);
  if (folder !== undefined) {
    const ended = await endChildren(folder, context.clock);
    if (ended > 0) context.log.info(`ended ${ended} processes that the step had left`);
    if (existsSync(folder)) {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
      context.log.info("removed the step's private folder");
    }
  }
  const moves = readMoves(context.state.load(MOVES_STATE));
  if (moves) await undo(moves, context);
}

/** The saved folder, when it is one of ours: nothing else is ever removed. */
function ownFolder(saved: unknown, temp: string): string | undefined {
  if (typeof saved !== "string" || !basename(saved).startsWith(FOLDER_PREFIX)) return undefined;
  return dirname(resolve(saved)) === resolve(temp) ? saved : undefined;
}

/** Puts tags back which a killed run was moving, with the step's own logins: none was saved. */
async function undo(moves: TagMoves, context: PostContext): Promise<void> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(UNDO_MS)]);
  const { read, github, log, clock, env, mask } = context;
  const registries = await openRegistries(
    { registry: readRegistry(read, github) },
    { env, log, clock, signal, mask },
  );
  const undone = await undoMoves(moves, { client: registries.client, log, signal });
  registries.close();
  for (const line of describeUndo(undone)) log.info(line);
  if (!isUnfinished(undone)) return;
  throw new Failure("tags that a killed run was moving could not all be put back", {
    code: "TAGS_HALF_MOVED",
    fix: "look at the tags named in the log and push again",
    evidence: describeUndo(undone),
  });
}
