import { existsSync, readFileSync, statSync } from "node:fs";
import type { RunContext } from "../../../../lib/action.ts";
import { Failure, messageOf } from "../../../../lib/errors.ts";
import { type Exit, execute } from "../../../../lib/exec.ts";
import { type GateInputs, SEVERITIES, type Severity } from "../inputs/model.ts";
import { type Finding, readReport } from "./findings.ts";
import { type Ignored, readIgnoreFile } from "./ignore-file.ts";

/** How many findings there are, and what was made of them. */
export interface Verdict {
  readonly format: string;
  readonly counts: Readonly<Record<Severity, number>>;
  readonly blocking: readonly Finding[];
  /** Findings that the ignore file let pass. */
  readonly ignored: number;
}

/** What the gate works with. */
export interface ScanPorts extends Pick<RunContext, "log" | "signal" | "clock"> {
  /** Environment of the scanner. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Writes the image as a tar and gives its path; called only when a command wants it. */
  imageTar(): Promise<string>;
}

/** Whether there is anything to judge. */
export function isScanWanted(gates: GateInputs): boolean {
  return gates.vulnerabilityReport !== "" || gates.vulnerabilityCommand.length > 0;
}

/** Before the build: a report that an earlier step should have made is there, and the exceptions hold. */
export async function checkScanInputs(gates: GateInputs, today: Date): Promise<void> {
  const isOthers = gates.vulnerabilityReport !== "" && gates.vulnerabilityCommand.length === 0;
  if (isOthers && !existsSync(gates.vulnerabilityReport)) throw missing(gates.vulnerabilityReport);
  await readIgnoreFile(gates.ignoreFile, today);
}

/**
 * Judges the findings of a scanner. Throws SCANNER_FAILED when there is no
 * report to judge (the scanner broke, its database could not be had), which is
 * not the same as FINDINGS: the report names what may not be.
 */
export async function judgeFindings(gates: GateInputs, ports: ScanPorts): Promise<Verdict> {
  const ignored = await readIgnoreFile(gates.ignoreFile, new Date(ports.clock.now()));
  const { text, exit } = await reportText(gates, ports);
  const report = readReport(text);
  if (!report.ok) throw broken(`its report cannot be read: ${report.problem}`, exit);
  // Scanners may end with 1 because they found something; with nothing found it means that they broke.
  if (exit && exit.code !== 0 && report.findings.length === 0) {
    throw broken(`it ended with ${endOf(exit)}, and its report names nothing that would explain it`, exit);
  }
  const verdict = weigh(report.findings, gates, ignored);
  ports.log.info(`${report.format} report: ${countsText(verdict.counts)}, ${verdict.ignored} ignored`);
  if (verdict.blocking.length > 0) throw tooBad(verdict.blocking, gates);
  return { ...verdict, format: report.format };
}

/** Which findings are left after the exceptions. */
export function weigh(
  findings: readonly Finding[],
  gates: Pick<GateInputs, "failOn" | "ignoreUnfixed">,
  ignored: readonly Pick<Ignored, "id">[],
): Omit<Verdict, "format"> {
  const passes = new Set(ignored.map(({ id }) => id.toLowerCase()));
  const counts = { negligible: 0, low: 0, medium: 0, high: 0, critical: 0 };
  const blocking: Finding[] = [];
  let passed = 0;
  const least = gates.failOn === "none" ? SEVERITIES.length : SEVERITIES.indexOf(gates.failOn);
  for (const finding of findings) {
    if (passes.has(finding.id.toLowerCase())) {
      passed++;
      continue;
    }
    counts[finding.severity]++;
    const isUnfixed = gates.ignoreUnfixed && finding.fixedIn === "";
    if (!isUnfixed && SEVERITIES.indexOf(finding.severity) >= least) blocking.push(finding);
  }
  return { counts, blocking, ignored: passed };
}

async function reportText(gates: GateInputs, ports: ScanPorts): Promise<{ text: string; exit?: Exit }> {
  const [program, ...rest] = gates.vulnerabilityCommand;
  const path = gates.vulnerabilityReport;
  if (program === undefined) return { text: readText(path) };
  const before = stampOf(path);
  const image = await ports.imageTar();
  const argv: [string, ...string[]] = [program, ...rest.map((word) => word.replaceAll("{image}", image))];
  const exit = await runScanner(argv, ports);
  ports.signal.throwIfAborted();
  if (exit.timedOut) throw broken("it did not end within `timeout`", exit);
  if (path === "") return { text: exit.stdout, exit };
  if (!existsSync(path)) throw broken(`it ended with ${endOf(exit)} and wrote no ${path}`, exit);
  if (stampOf(path) === before)
    throw broken(`it ended with ${endOf(exit)} and left ${path} as it was before`, exit);
  return { text: readText(path), exit };
}

async function runScanner(argv: readonly [string, ...string[]], ports: ScanPorts): Promise<Exit> {
  try {
    return await execute({
      argv,
      cwd: ports.cwd,
      env: ports.env,
      signal: ports.signal,
      timeoutMs: ports.timeoutMs,
      keepBytes: 64 << 20,
      onLine: (line, stream) => {
        if (stream === "stderr") ports.log.info(`  ${line}`);
      },
    });
  } catch (error) {
    throw broken(messageOf(error), undefined);
  }
}

/** Changes whenever the file is written. */
function stampOf(path: string): string {
  const stat = path === "" ? undefined : statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.ino} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.size}` : "";
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw missing(path);
  }
}

function missing(path: string): Failure {
  return new Failure(`there is no report of the scanner: \`${path}\` does not exist`, {
    code: "SCANNER_FAILED",
    fix: "run the scanner in an earlier step that writes this file, or set `vulnerability-command`",
  });
}

function broken(why: string, exit: Exit | undefined): Failure {
  return new Failure(`the scanner failed: ${why}`, {
    code: "SCANNER_FAILED",
    fix: "see what the scanner says (its database may be out of reach); nothing is known of the image's vulnerabilities",
    evidence: exit ? `${exit.stderr}\n${exit.stdout.slice(0, 2000)}`.trim().split("\n").slice(-20) : [],
  });
}

function tooBad(blocking: readonly Finding[], gates: GateInputs): Failure {
  const worst = [...blocking].sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));
  const line = ({ id, severity, where, fixedIn }: Finding) =>
    `${severity} ${id} in ${where || "the image"}${fixedIn ? `, fixed in ${fixedIn}` : ""}`;
  const count = blocking.length === 1 ? "1 finding" : `${blocking.length} findings`;
  return new Failure(`${count} of at least \`${gates.failOn}\`: ${worst.slice(0, 3).map(line).join("; ")}`, {
    code: "FINDINGS",
    fix: "update the packages named, or let a finding pass in `vulnerability-ignore-file` with a reason and a day",
    evidence: worst.slice(0, 30).map(line),
  });
}

function endOf(exit: Exit): string {
  return exit.code === null ? `signal ${exit.signal}` : `exit code ${exit.code}`;
}

function countsText(counts: Readonly<Record<Severity, number>>): string {
  return [...SEVERITIES]
    .reverse()
    .map((severity) => `${counts[severity]} ${severity}`)
    .join(", ");
}
