import { type Clock, formatDuration, systemClock } from "./clock.ts";
import { Cancelled, causeChain, Failure, messageOf, systemCode } from "./errors.ts";
import { type GitHubContext, readGitHubContext } from "./github-context.ts";
import { InputReader, inputTexts } from "./inputs.ts";
import { type Log, RunnerLog } from "./log.ts";
import { Mask } from "./mask.ts";
import { setOutputs } from "./outputs.ts";
import { type Report, ReportDraft, writeReport } from "./report.ts";
import { runnerState, type State } from "./state.ts";
import { escapeMarkdown, stripAnsi, writeSummary } from "./summary.ts";
import { prepareYaml } from "./yaml.ts";

/** One action: how it reads its inputs and what it does. */
export interface ActionDefinition<Inputs> {
  readonly name: string;
  /** Outputs of the action's own; each is set on every run, empty when unknown. */
  readonly outputs: readonly string[];
  /** Reads every input; problems go to the reader, which throws them all at once. */
  parse(read: InputReader, github: GitHubContext): Inputs;
  /** Does the work. Returns the green outcome; everything red is thrown as a `Failure`. */
  run(inputs: Inputs, context: RunContext): Promise<Green>;
}

/** The outcomes that exit 0. */
export type Green = "succeeded" | "unchanged" | "planned" | "built";

/** Everything a run may touch besides its inputs and its remotes. */
export interface RunContext {
  readonly log: Log;
  readonly clock: Clock;
  /** Aborted with a `Cancelled` on SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  readonly mask: Mask;
  readonly state: State;
  readonly github: GitHubContext;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly draft: ReportDraft;
  /** Runs a named phase: one log group, one entry in the report. */
  phase<T>(name: string, body: () => Promise<T>): Promise<T>;
}

/**
 * How long a cancelled run may take to leave things in order, milliseconds.
 * The runner sends SIGTERM 7.5 s after SIGINT and kills 2.5 s later.
 */
const CANCEL_GRACE_MS = 6500;

/** Runs one action as the runner's main step: the only place that ends the process. */
export async function runAction<Inputs>(definition: ActionDefinition<Inputs>): Promise<void> {
  const startedAt = systemClock.now();
  const mask = new Mask();
  const github = readGitHubContext(process.env);
  const log = new RunnerLog(mask, (text) => process.stdout.write(text), process.env["RUNNER_DEBUG"] === "1");
  const draft = new ReportDraft();
  // Until there is a verdict, whatever ends the process ends it red.
  process.exitCode = 1;
  const cancel = listenForCancel(log);
  const context: RunContext = {
    log,
    clock: systemClock,
    signal: cancel.signal,
    mask,
    state: runnerState,
    github,
    env: process.env,
    draft,
    phase: (name, body) => runPhase(name, body, draft, log),
  };
  let wantsSummary = true;
  let failure: Failure | undefined;
  let green: Green = "succeeded";
  try {
    await prepareYaml(inputTexts(process.env));
    const read = new InputReader(process.env, mask);
    const inputs = definition.parse(read, github);
    wantsSummary = read.bool("summary", true);
    read.finish();
    green = await Promise.race([definition.run(inputs, context), cancel.overdue]);
    if (cancel.signal.aborted) throw new Cancelled("the run was cancelled as its work ended");
  } catch (error) {
    failure = asFailure(error, cancel.signal);
  }
  const outcome = failure?.outcome ?? green;
  const report = buildReport(definition.name, outcome, failure, draft, github, startedAt, mask);
  const told = finish(definition, report, { log, mask, draft, github, wantsSummary });
  logCauses(failure, log);
  process.exit(failure || !told ? 1 : 0);
}

/** The signals of a cancel, as one abort signal and a promise that gives up on a run that does not end. */
function listenForCancel(log: Log): { signal: AbortSignal; overdue: Promise<never> } {
  const controller = new AbortController();
  let giveUp: (reason: Failure) => void = () => {};
  const overdue = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
  });
  overdue.catch(() => {});
  const onSignal = (name: string) => {
    if (controller.signal.aborted) return;
    log.info(`Cancelled (${name}): leaving things in order.`);
    const reason = new Cancelled(`the run was cancelled (${name})`);
    controller.abort(reason);
    setTimeout(() => giveUp(reason), CANCEL_GRACE_MS);
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => onSignal(name));
  // An error that escapes every promise chain still ends as one red verdict with its outputs.
  process.on("uncaughtException", (error) => giveUp(asFailure(error, controller.signal)));
  process.on("unhandledRejection", (error) => giveUp(asFailure(error, controller.signal)));
  // Work that waits for something that can no longer happen would end the process without a verdict.
  process.on("beforeExit", () =>
    giveUp(asFailure(new Error("the work stopped without an end"), controller.signal)),
  );
  return { signal: controller.signal, overdue };
}

async function runPhase<T>(name: string, body: () => Promise<T>, draft: ReportDraft, log: Log): Promise<T> {
  const startedAt = performance.now();
  let outcome: "succeeded" | "failed" = "failed";
  try {
    const result = await log.group(name, body);
    outcome = "succeeded";
    return result;
  } finally {
    draft.phases.push({ name, ms: Math.round(performance.now() - startedAt), outcome });
  }
}

/** A full disk and a used-up quota are the runner's business, not a defect. */
const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** Anything thrown, as a failure: what was not raised on purpose is a defect of ours and says so. */
function asFailure(error: unknown, signal: AbortSignal): Failure {
  // What breaks because of the cancel (a killed child, a closed connection) is the cancel; a verdict on the
  // target (`rolled-back`, `rollback-failed`) stays.
  if (error instanceof Failure && !(signal.aborted && error.outcome === "failed")) return error;
  if (signal.aborted) {
    return new Cancelled(`${messageOf(signal.reason)} and its work stopped: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (FULL.has(systemCode(error))) {
    return new Failure(`a disk of the runner is full: ${messageOf(error)}`, {
      code: "DISK_FULL",
      fix: "make room on the runner, above all under RUNNER_TEMP, or take a larger one",
      cause: error,
    });
  }
  return new Failure(`unexpected error: ${messageOf(error)}`, {
    code: "INTERNAL",
    fix: "run again with debug logging and report this to the goci project",
    evidence: error instanceof Error && error.stack ? error.stack.split("\n").slice(0, 6) : [],
    cause: error,
  });
}

function buildReport(
  action: string,
  outcome: string,
  failure: Failure | undefined,
  draft: ReportDraft,
  github: GitHubContext,
  startedAt: number,
  mask: Mask,
): Report {
  const own = mask.redactJson({
    phases: draft.phases,
    materials: draft.materials,
    subjects: draft.subjects,
    error: failure ? errorOf(failure, mask) : null,
    fields: draft.fields,
  });
  const base = {
    schema: "goci/report/v1",
    action,
    outcome,
    failureCode: failure?.code ?? null,
    commit: github.sha,
    run: github.runUrl || github.runId,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: systemClock.now() - startedAt,
    phases: own.phases,
    materials: own.materials,
    subjects: own.subjects,
    error: own.error && { ...own.error, code: failure?.code ?? own.error.code },
  } as const;
  // A field of the action's own never takes the place of one of the schema.
  return { ...base, ...own.fields, ...base };
}

/** Redacted before it is cut: a part of a secret would no longer be recognised. */
function errorOf(failure: Failure, mask: Mask): NonNullable<Report["error"]> {
  const message = oneLine(mask.redact(failure.message)) || failure.code;
  const evidence = failure.evidence.map((line) => stripAnsi(line));
  return { code: failure.code, message, fix: oneLine(failure.fix), evidence };
}

interface FinishPorts {
  readonly log: Log;
  readonly mask: Mask;
  readonly draft: ReportDraft;
  readonly github: GitHubContext;
  readonly wantsSummary: boolean;
}

/** Outputs that say whether something happened: nothing that was never said to have happened did. */
const YES_OR_NO = new Set(["changed", "rolled-back"]);

/** Outputs made of goci's own words. */
const OURS = new Set(["outcome", "failure-code", "report", "duration-seconds"]);

/**
 * Report, outputs, summary, then the one annotation: in this order, so that a
 * kill loses the least. False when the outputs could not be written: later
 * steps would then read nothing, so the step is red whatever it did.
 */
function finish<I>(definition: ActionDefinition<I>, report: Report, ports: FinishPorts): boolean {
  const { log, mask, draft } = ports;
  const outputs = new Map<string, string>(
    definition.outputs.map((name) => [name, YES_OR_NO.has(name) ? "false" : ""]),
  );
  for (const [name, value] of draft.outputs) outputs.set(name, value);
  outputs.set("outcome", report.outcome);
  outputs.set("failure-code", report.failureCode ?? "");
  outputs.set("failure-reason", report.error?.message ?? "");
  outputs.set("report", writeReportSafely(report, ports));
  if (outputs.has("duration-seconds")) outputs.set("duration-seconds", (report.durationMs / 1000).toFixed(1));
  const unwritten = setOutputsSafely(outputs, ports);
  if (ports.wantsSummary)
    writeSummary(mask.redact(summarise(report, draft)), process.env["GITHUB_STEP_SUMMARY"]);
  log.info(`${report.action}: ${report.outcome} in ${formatDuration(report.durationMs)}`);
  const error = report.error ?? unwritten;
  if (!error) return true;
  log.annotate({
    level: "error",
    title: `${report.action}: ${error.code}`,
    message: error.fix ? `${error.message}. To fix: ${error.fix}` : error.message,
  });
  return unwritten === undefined;
}

/** What went wrong, undefined when the outputs are written. */
function setOutputsSafely(
  outputs: ReadonlyMap<string, string>,
  ports: FinishPorts,
): { code: string; message: string; fix: string } | undefined {
  try {
    setOutputs(outputs, ports.mask, ports.log, OURS);
    return undefined;
  } catch (error) {
    const message = `the step outputs could not be written: ${messageOf(error)}`;
    return { code: "OUTPUTS_NOT_WRITTEN", message, fix: "free space for the runner's temporary files" };
  }
}

function writeReportSafely(report: Report, ports: FinishPorts): string {
  try {
    return writeReport(report, ports.github);
  } catch (error) {
    ports.log.warn(`the report could not be written: ${messageOf(error)}`);
    return "";
  }
}

function summarise(report: Report, draft: ReportDraft): string {
  const parts = [`## ${report.action}: ${report.outcome}\n`];
  if (report.error) {
    parts.push(`**${report.error.code}**: ${escapeMarkdown(report.error.message)}\n`);
    if (report.error.fix) parts.push(`To fix: ${escapeMarkdown(report.error.fix)}\n`);
  }
  parts.push(draft.summary);
  return parts.join("\n");
}

function logCauses(failure: Failure | undefined, log: Log): void {
  if (!failure) return;
  for (const line of failure.evidence) log.info(`  ${line}`);
  for (const cause of causeChain(failure.cause)) log.debug(`caused by: ${cause}`);
  if (failure.cause instanceof Error && failure.cause.stack) log.debug(failure.cause.stack);
}

/** Long enough for every problem of a call with all its inputs wrong; the runner cuts annotations at 4096. */
const LONGEST_MESSAGE = 3500;

function oneLine(text: string): string {
  const line = stripAnsi(text.trim().replace(/\r/g, "\n"))
    .split(/[\n\u2028\u2029]/)
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .join("; ");
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE - 3)}...` : line;
}
