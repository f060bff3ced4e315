import type { Options } from "../model.ts";
import type { SeenCall } from "./bad-line.ts";
import { OPTIONS, type Run, type Trouble } from "./simulate.ts";
import type { Part } from "./world.ts";

const WRITES: readonly string[] = ["apply", "commit", "rollBack"];
/** An answer may be as old as a stale read and the way of the answer. */
const STALE_MS = 3200;

/**
 * Holds what a run said against what was true: each run ends deployed-and-verified
 * green, or rolled-back-and-red with the old version proven, or untouched-and-red.
 * Returns every promise that was broken.
 */
export function judge(run: Run, trouble: Trouble = {}): string[] {
  const options: Options = { ...OPTIONS, ...trouble.options };
  const broken = [
    ...judgeGreen(run),
    ...judgeRolledBack(run),
    ...judgeUntouched(run),
    ...judgeWhatIsLeft(run, options),
    ...judgeOthers(run),
    ...judgeCancel(run, options),
  ];
  const applies = run.calls.filter((call) => call.name === "apply").map((call) => call.stage);
  if (new Set(applies).size < applies.length) broken.push("a stage was applied twice");
  if (run.world.lock === "us" && !isHeldWithAWord(run, trouble)) broken.push("the lock was never given back");
  return broken;
}

function judgeGreen(run: Run): string[] {
  if (!["succeeded", "unchanged"].includes(run.outcome)) return [];
  const broken: string[] = [];
  if (!near(run, isNew)) broken.push("green, but the new version was not there");
  const proven = run.world.proofs.some((proof) => proof.parts.every(isNew));
  if (run.outcome === "succeeded" && !proven) broken.push("green without proof");
  return broken;
}

function judgeRolledBack(run: Run): string[] {
  if (run.outcome !== "rolled-back" && run.rolledBack !== "true") return [];
  const broken: string[] = [];
  const lastOwnWrite = Math.max(...ownWrites(run), 0);
  const proven = run.world.proofs.some((proof) => proof.at >= lastOwnWrite && !proof.parts.some(isNew));
  if (!proven) broken.push("rolled back without proof");
  if (!near(run, (part) => !isNew(part))) broken.push("rolled back, but the new version was there");
  if (run.changed !== "true") broken.push("rolled back, but changed=false");
  return broken;
}

function judgeUntouched(run: Run): string[] {
  if (run.outcome === "killed" || run.changed === "true") return [];
  return ownWrites(run).length > 0 ? ["changed=false, but something was changed"] : [];
}

/** Something of ours may only stay when that was proven, wished or said. */
function judgeWhatIsLeft(run: Run, options: Options): string[] {
  if (!run.world.parts.some(isNew) || run.outcome === "succeeded") return [];
  const whole = run.world.parts.every(isNew) && run.world.proofs.some((proof) => proof.parts.every(isNew));
  const cancelledLate = run.outcome === "cancelled" && (run.cancelledAt ?? 0) >= verdictAt(run);
  if (whole && (cancelledLate || run.outcome === "killed")) return [];
  if (!options.rollback || options.onCancel === "leave") return [];
  const words = [run.outcome, run.post];
  if (words.includes("rollback-failed") || words.includes("superseded")) return [];
  const said = [run.message, ...run.postLog].some((line) => line.includes("run 8 has changed"));
  return said ? [] : [`half-changed without a word (${run.outcome}, post ${run.post})`];
}

function judgeOthers(run: Run): string[] {
  // A cancel drops the answer to what was being read; compare-and-swap is what protects then.
  const cancelledAt = run.cancelledAt ?? Infinity;
  const heard = run.calls.filter((call) => call.at > cancelledAt || call.answeredAt < cancelledAt);
  const telling = heard.filter((call) => ["superseded", "moved"].includes(call.answer));
  const told = Math.min(...telling.map((call) => call.answeredAt));
  const after = run.calls.filter((call) => call.at >= told && WRITES.includes(call.name));
  const broken = after.map((call) => `${call.name} although someone else has moved the target`);
  const reverted = heard.find((call) => call.answer === "reverted-by-target")?.answeredAt ?? Infinity;
  if (run.calls.some((call) => call.name === "rollBack" && call.at >= reverted))
    broken.push("rolled back although the target did so by itself");
  // What they did before we looked is what we found; what they did after is not ours to undo.
  const looked = Math.max(...run.calls.filter(isAnsweredInspect).map((call) => call.answeredAt));
  const late = run.world.history.flatMap(({ parts }) =>
    parts.filter((part, i) => part.writer === "them" && part.since > looked && wasOverwritten(run, part, i)),
  );
  if (late.length > 0) broken.push("someone else's change was overwritten");
  return broken;
}

function judgeCancel(run: Run, options: Options): string[] {
  const { cancelledAt } = run;
  if (cancelledAt === undefined || !options.rollback || options.onCancel === "leave") return [];
  const writes = run.calls.filter((call) => call.name === "apply" && call.at <= cancelledAt);
  const isOver = run.endedAt - cancelledAt < 2000 || run.outcome !== "cancelled" || run.changed === "false";
  const turned = run.calls.some((call) => call.name === "rollBack" && call.at <= cancelledAt + 2000);
  const reverted = run.calls.some((call) => call.answer === "reverted-by-target");
  return writes.length > 0 && !isOver && !turned && !reverted ? ["the roll-back left later than 2 s"] : [];
}

function ownWrites(run: Run): number[] {
  return run.world.history.filter((entry) => entry.parts.some(isNew)).map((entry) => entry.at);
}

/** Whether all parts were so at some moment of the last seconds before the verdict, which comes before the release. */
function near(run: Run, right: (part: Part) => boolean): boolean {
  const { history } = run.world;
  const time = verdictAt(run);
  return history.some((entry, index) => {
    const end = history[index + 1]?.at ?? Infinity;
    return entry.at <= time && end >= time - STALE_MS && entry.parts.every(right);
  });
}

/** The verdict stands when the release begins. */
function verdictAt(run: Run): number {
  return run.calls.find((call) => call.name === "release")?.at ?? run.endedAt;
}

function isNew(part: Part): boolean {
  return part.writer === "us";
}

/** A lock that lands after it was given back is what leases are for. */
function isHeldWithAWord(run: Run, trouble: Trouble): boolean {
  const lateLock = run.calls.some(
    ({ name }, i) =>
      name === "gate" &&
      (trouble.faults?.[i] === "late" || (trouble.cut?.call === i && trouble.cut.landed === "late")),
  );
  return lateLock || [...run.log, ...run.postLog].some((line) => line.startsWith("not released"));
}

function isAnsweredInspect(call: SeenCall): boolean {
  return call.name === "inspect" && call.answeredAt < Infinity;
}

function wasOverwritten(run: Run, part: Part, index: number): boolean {
  return run.world.parts[index]?.generation !== part.generation;
}
