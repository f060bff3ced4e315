import { closeSync, openSync, writeSync } from "node:fs";
import type { RunContext } from "../../../lib/action.ts";
import { formatDuration } from "../../../lib/clock.ts";
import { Failure, messageOf } from "../../../lib/errors.ts";
import { type Exit, execute } from "../../../lib/exec.ts";
import type { Step } from "./plan.ts";
import { parseGoEvent } from "./reports/go-test-json.ts";

/** How one command of the plan ended. */
export interface StepEnd {
  readonly step: Step;
  /** The command as people write it. */
  readonly line: string;
  /** `exit code 3`, `SIGSEGV` or "" when it ended well. */
  readonly problem: string;
  /** The last lines that it printed. */
  readonly tail: readonly string[];
  /** Where its stdout was kept; "" when it was not. */
  readonly stdoutFile: string;
  readonly ms: number;
}

/** Where and how a command runs. */
export interface StepPlace {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Keep stdout in this file; "" keeps none. */
  readonly stdoutFile: string;
}

const TAIL_LINES = 20;
/** Prose is kept only in case it turns out to be TAP; more than this is none. Bytes. */
const PROSE_LIMIT = 64 * 1024 * 1024;

/**
 * Runs a command of the plan and passes its output on, line by line, so that no
 * workflow command in it acts. Resolves however it ends; a program that cannot
 * be started ends with a problem too.
 */
export async function runStep(step: Step, place: StepPlace, context: RunContext): Promise<StepEnd> {
  const { log, signal } = context;
  const line = step.argv.map(quoted).join(" ");
  const tail: string[] = [];
  const print = (text: string) => {
    log.info(text);
    if (text.trim() !== "") tail.push(text);
    if (tail.length > TAIL_LINES) tail.shift();
  };
  log.info(`$ ${line}`);
  const file = place.stdoutFile === "" ? undefined : openSync(place.stdoutFile, "w", 0o600);
  const pending = { text: "" };
  let kept = 0;
  let exit: Exit | undefined;
  let problem = "";
  try {
    exit = await execute({
      argv: step.argv,
      cwd: step.folder ?? place.folder,
      env: place.env,
      signal,
      onLine: (text, stream) => {
        if (stream === "stdout" && step.stdout === "go-test-json") printGo(text, pending, print);
        else print(text);
      },
      onStdout: (chunk) => {
        if (file === undefined) return;
        kept += chunk.length;
        if (step.stdout !== "prose" || kept <= PROSE_LIMIT) writeSync(file, chunk);
      },
    });
    if (pending.text !== "") print(pending.text);
    problem = exit.signal ? exit.signal : exit.code === 0 ? "" : `exit code ${exit.code}`;
  } catch (error) {
    problem = messageOf(error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
  signal.throwIfAborted();
  log.info(`${problem === "" ? "done" : problem} after ${formatDuration(exit?.ms ?? 0)}`);
  return { step, line, problem, tail, stdoutFile: place.stdoutFile, ms: exit?.ms ?? 0 };
}

/** The readable part of `go test -json`: its output, in whole lines. */
function printGo(text: string, pending: { text: string }, print: (text: string) => void): void {
  const event = parseGoEvent(text);
  // Whole lines of what is no event are noise of a tool; they are shown as they are.
  pending.text += event ? (event.Output ?? "") : `${text}\n`;
  const lines = pending.text.split("\n");
  pending.text = lines.pop() ?? "";
  for (const line of lines) print(line);
}

/** An install or build that did not end well. */
export function stepFailed(end: StepEnd): Failure {
  const code = end.step.stage === "install" ? "INSTALL_FAILED" : "BUILD_FAILED";
  return new Failure(`\`${end.line}\` failed: ${end.problem}`, {
    code,
    fix: `run it in the working directory and correct what it reports, or set \`${end.step.stage}-command\``,
    evidence: end.tail,
  });
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}
