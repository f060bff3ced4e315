import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { probe } from "../lib/http.ts";
import type { ActResult } from "./act.ts";
import type { Stage } from "./stages.ts";

/** One second of load. */
export interface LoadSecond {
  readonly second: number;
  readonly requests: number;
  readonly failed: number;
  readonly p95: number;
}

/** What load-test measured beside a deployment. */
export interface LoadEvidence {
  readonly verdict: string;
  readonly requests: number;
  readonly failed: number;
  readonly p95: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly seconds: readonly LoadSecond[];
  readonly result: ActResult;
}

/** Everything that is known of a stage once it has ended. */
export interface StageEvidence {
  readonly stage: Stage;
  readonly delivery: ActResult;
  readonly load: LoadEvidence | undefined;
  /** As the actions said it: the deployment's outcome, or why the pipeline stopped before. */
  readonly outcome: string;
  readonly reason: string;
  /** Version that answers on the service's port afterwards; "" for none. */
  readonly serving: string;
  /** The release that `current` points to afterwards. */
  readonly current: string;
  /** Logins on the host while the stage ran. */
  readonly logins: number;
  readonly reports: readonly Readonly<Record<string, unknown>>[];
  readonly seconds: number;
  /** Milliseconds since the epoch: pushed, built (or failed), approved, ended. */
  readonly pushedAt: number;
  readonly builtAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Why the promise was not kept; empty when it was. */
  readonly broken: readonly string[];
}

/** An output by its last parts (`deploy.outcome`), "" when no step set it. */
export function outputOf(result: ActResult, suffix: string): string {
  for (const [name, value] of result.outputs) {
    if (name.endsWith(`.${suffix}`) && value !== "") return value;
  }
  return "";
}

/** What the service says its version is; "" when nothing answers. */
export async function servingVersion(appPort: number): Promise<string> {
  const answer = await probe({ url: `http://127.0.0.1:${appPort}/version`, timeoutMs: 2000 });
  if (answer.kind === "error" || answer.status !== 200) return "";
  const body = JSON.parse(answer.body) as { version?: unknown };
  return typeof body.version === "string" ? body.version : "";
}

/** The release that the host's `current` link names; "" when there is none. */
export function currentRelease(target: string): string {
  const link = join(target, "current");
  return existsSync(link) ? (readlinkSync(link).split("/").at(-1) ?? "") : "";
}

/** The reports that the workflows of a stage kept. */
export function keptJson(folder: string, prefix: string): Readonly<Record<string, unknown>>[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json") && (name.split("/").at(-1) ?? "").startsWith(prefix))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Record<string, unknown>);
}

/** Holds a stage against its promise; what the actions say is not enough, the host is asked too. */
export function judge(
  evidence: Omit<StageEvidence, "broken">,
  before: { serving: string; current: string },
): string[] {
  const { stage, outcome, serving, current, load } = evidence;
  const broken: string[] = [];
  const expect = (holds: boolean, otherwise: string) => {
    if (!holds) broken.push(otherwise);
  };
  expect(outcome === stage.promised, `promised ${stage.promised}, ended ${outcome || "without an outcome"}`);
  if (stage.promised === "succeeded") {
    expect(serving === stage.version, `version ${stage.version} should serve, ${serving || "nothing"} does`);
    expect(current !== before.current, "`current` did not move");
  } else {
    expect(
      serving === before.serving,
      `version ${before.serving} should still serve, ${serving || "nothing"} does`,
    );
    expect(current === before.current, `\`current\` moved to ${current}`);
    expect(evidence.delivery.exitCode !== 0, "the workflow is green");
    expect(evidence.reason !== "", "no reason is given");
  }
  if (stage.promised.startsWith("stopped")) expect(evidence.logins === 0, "the host was logged in to");
  if (stage.loadSeconds > 0) {
    expect((load?.requests ?? 0) > 0, "no request was measured");
    expect((load?.requests ?? 0) > (load?.failed ?? 0), "every request failed");
  }
  return broken;
}
