import { Cancelled, Failure, isError, messageOf, RemoteError } from "../../../../lib/errors.ts";
import type { ManifestDocument } from "../registry/client.ts";
import type { PushPorts } from "./model.ts";
import type { TagState } from "./tag-plan.ts";
import { describeUndo, isUnfinished, type TagMoves, type Undone, undoMoves } from "./undo.ts";

/**
 * A tag that is being set when the run is cancelled is set to its end, so that
 * it is known where it stands; milliseconds. With the undo it fits into the 5 s
 * that a cancelled step may take.
 */
const FINISH_MS = 1500;
const UNDO_AFTER_CANCEL_MS = 3200;

/** An undo after a failure may outlast a registry's short illness; milliseconds. */
const UNDO_MS = 60_000;

/** A request whose answer was lost may still be carried out; so much later it is looked at again, milliseconds. */
const SECOND_LOOK_MS = 1000;

/**
 * Sets tags one by one, in order. When one fails or the run is cancelled, all
 * that were set go back, the failed one too (its answer may have been lost);
 * then throws, with what could not be undone in the message and the evidence.
 * What is planned is saved first, so that a post step can undo it after a kill.
 */
export async function moveTags(
  moves: readonly TagState[],
  root: ManifestDocument,
  ports: PushPorts,
): Promise<void> {
  if (moves.length === 0) return;
  ports.signal.throwIfAborted();
  ports.saveMoves(movesOf(moves, root.digest));
  let tried = 0;
  const finishing = lagging(ports.signal, FINISH_MS);
  try {
    for (const { repository, tag, before } of moves) {
      ports.signal.throwIfAborted();
      tried++;
      await ports.client(repository).withSignal(finishing).putManifest(repository.path, tag, root);
      const was = before === "" ? "new" : `was ${before}`;
      ports.log.info(`${repository.name}:${tag} names ${root.digest} (${was})`);
    }
    // A cancel that came with the last answer counts: from here on the tags stay.
    ports.signal.throwIfAborted();
  } catch (error) {
    throw await takeBack(moves.slice(0, tried), root.digest, error, ports);
  }
  ports.saveMoves(undefined);
}

async function takeBack(
  moves: readonly TagState[],
  digest: string,
  reason: unknown,
  ports: PushPorts,
): Promise<Failure> {
  const cancelled = ports.signal.aborted;
  const signal = AbortSignal.timeout(cancelled ? UNDO_AFTER_CANCEL_MS : UNDO_MS);
  const { client, log } = ports;
  const undone = await undoMoves(movesOf(moves, digest), { client, log, signal });
  const last = moves.slice(-1);
  if (isUncertain(undone, last, reason)) {
    await ports.clock.sleep(SECOND_LOOK_MS, signal).catch(() => {});
    const [again] = await undoMoves(movesOf(last, digest), { client, log, signal });
    if (again) undone.splice(indexOf(undone, again), 1, again);
  }
  // What is left undone is tried once more by the post step.
  if (!isUnfinished(undone)) ports.saveMoves(undefined);
  return explained(cancelled ? ports.signal.reason : reason, undone);
}

/** Whether the last tag looks untouched only because the registry may not have come to it yet. */
function isUncertain(undone: readonly Undone[], [last]: readonly TagState[], reason: unknown): boolean {
  const answered =
    reason instanceof Failure && reason.code !== "REGISTRY_UNAVAILABLE" && reason.code !== "CANCELLED";
  const found = undone.find(({ image, tag }) => image === last?.repository.name && tag === last.tag);
  return !answered && (found?.result === "untouched" || found?.result === "absent");
}

function indexOf(undone: readonly Undone[], item: Undone): number {
  return undone.findIndex(({ image, tag }) => image === item.image && tag === item.tag);
}

/** A signal that follows another after a while. */
function lagging(signal: AbortSignal, ms: number): AbortSignal {
  const controller = new AbortController();
  const follow = () => setTimeout(() => controller.abort(signal.reason), ms).unref();
  if (signal.aborted) follow();
  else signal.addEventListener("abort", follow, { once: true });
  return controller.signal;
}

function movesOf(moves: readonly TagState[], digest: string): TagMoves {
  return {
    digest,
    moves: moves.map(({ repository, tag, before }) => ({ image: repository.name, tag, before })),
  };
}

/** The failure as it was, and what became of the tags. */
function explained(reason: unknown, undone: readonly Undone[]): Failure {
  const message = `${messageOf(reason)}; ${verdict(undone)}`;
  const failure = reason instanceof Failure ? reason : undefined;
  const detail = {
    fix: failure?.fix ?? "",
    evidence: [...(failure?.evidence ?? []), ...describeUndo(undone)],
    cause: isError(reason) ? reason : undefined,
  };
  if (reason instanceof Cancelled) return new Cancelled(message, detail);
  return new RemoteError(message, { ...detail, code: failure?.code ?? "INTERNAL" });
}

function verdict(undone: readonly Undone[]): string {
  const names = (result: Undone["result"]) =>
    undone.filter((tag) => tag.result === result).map(({ image, tag }) => `${image}:${tag}`);
  const parts: string[] = [];
  if (names("failed").length > 0) parts.push(`could not be put back: ${names("failed").join(", ")}`);
  if (names("remains").length > 0) parts.push(`new and remaining: ${names("remains").join(", ")}`);
  if (names("taken").length > 0) parts.push(`moved by somebody else: ${names("taken").join(", ")}`);
  return parts.length === 0 ? "all tags are as before" : parts.join("; ");
}
