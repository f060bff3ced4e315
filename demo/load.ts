import type { ActRun } from "./act.ts";
import { type LoadEvidence, type LoadSecond, outputOf } from "./evidence.ts";
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
  stage: Stage,
  appPort: number,
  launch: (inputs: Record<string, string>) => Promise<ActRun>,
): Promise<Load> {
  const run = await launch({
    url: `http://127.0.0.1:${appPort}`,
    duration: `${stage.loadSeconds}s`,
    rate: String(RATE),
  });
  return { started: run.waitFor("measuring"), evidence: () => gather(run) };
}

async function gather(run: ActRun): Promise<LoadEvidence> {
  const result = await run.result;
  return {
    verdict: outputOf(result, "load.verdict"),
    requests: Number(outputOf(result, "load.requests")),
    failed: 0,
    p95: Number(outputOf(result, "load.p95")),
    seconds: [] as LoadSecond[],
    result,
  };
}
