import type { ActRun } from "./act.ts";
import { keptJson, type LoadEvidence, outputOf } from "./evidence.ts";
import type { Stage } from "./stages.ts";

/** Requests a second: enough to see a gap of 20 ms, little enough to leave two cores to the deployment. */
const RATE = 100;

/** Load that is on its way. */
export interface Load {
  /** Resolves when measured requests are being sent. */
  readonly started: Promise<void>;
  evidence(): Promise<LoadEvidence>;
}

/** Starts load.yml for a stage. */
export async function startLoad(
  stage: Pick<Stage, "loadSeconds">,
  appPort: number,
  keep: string,
  launch: (inputs: Record<string, string>) => Promise<ActRun>,
): Promise<Load> {
  const run = await launch({
    url: `http://127.0.0.1:${appPort}`,
    duration: `${stage.loadSeconds}s`,
    rate: String(RATE),
  });
  return { started: run.waitFor("measuring"), evidence: () => gather(run, keep) };
}

/** As far as it is used here: result.json of load-test. */
interface ResultFile {
  readonly startedAt: string;
  readonly failed: number;
  readonly seconds: readonly { second: number; answered: number; failed: number; p95: number | null }[];
}

async function gather(run: ActRun, keep: string): Promise<LoadEvidence> {
  const result = await run.result;
  const file = keptJson(keep, "result")[0] as unknown as ResultFile | undefined;
  const seconds = (file?.seconds ?? []).map((row) => ({
    second: row.second,
    requests: row.answered + row.failed,
    failed: row.failed,
    p95: row.p95 ?? 0,
  }));
  return {
    verdict: outputOf(result, "load.verdict"),
    requests: Number(outputOf(result, "load.requests")),
    failed: file?.failed ?? 0,
    p95: Number(outputOf(result, "load.p95")),
    startedAt: file ? Date.parse(file.startedAt) : 0,
    seconds,
    result,
  };
}
