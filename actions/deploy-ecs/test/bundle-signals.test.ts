import { expect, test } from "@jest/globals";
import type { StepResult } from "../../../lib/testing/runner.ts";
import { eachOf, inSite, type Site } from "./bundle-kit.ts";
import { truth } from "./story.ts";

const LIMIT_MS = 240_000;
/** Runs at one time; each is a Node of its own. */
const AT_A_TIME = 4;
/** So slow that a deployment takes some looks, so fast that the way back fits into the time after a cancel. */
const WORLD = { speed: 6 };
/** The request to go back leaves within this time of the signal, milliseconds. */
const BACK_WITHIN_MS = 2000;
/** More calls than a run makes that nobody disturbs; a run that has ended before the nth is not counted. */
const MOST_CALLS = 14;

/** Sends the signal as the nth call arrives; when that was (0: the run made fewer calls), and how the step ended. */
async function signalled(
  site: Site,
  call: number,
  signal: "SIGINT" | "SIGKILL",
): Promise<{ readonly result: StepResult; readonly at: number }> {
  let at = 0;
  const step = site.start();
  site.aws.world.before({ call }, () => {
    at = Date.now();
    step.kill(signal);
  });
  return { result: await step.result, at };
}

/** Whether the service was changed, and when the way back was asked for; real milliseconds. */
function moves(site: Site): { readonly updated: boolean; readonly backAt: number } {
  const updates = site.aws.calls.filter((one) => one.operation === "UpdateService" && one.status === 200);
  const stop = site.aws.calls.find((one) => one.operation === "StopServiceDeployment" && one.status === 200);
  const back = updates.find((one) => String(one.input["taskDefinition"]).endsWith(":1"));
  return { updated: updates.length > 0, backAt: stop?.realAt ?? back?.realAt ?? 0 };
}

/** Plays the run once for each of its calls; how many there were. */
async function atEveryCall(
  signal: "SIGINT" | "SIGKILL",
  atATime: number,
  judge: (site: Site, call: number, result: StepResult, at: number) => Promise<void>,
): Promise<number> {
  let reached = 0;
  const calls = Array.from({ length: MOST_CALLS }, (_, index) => index + 1);
  await eachOf(calls, atATime, (call) =>
    inSite(
      {},
      async (site) => {
        const { result, at } = await signalled(site, call, signal);
        if (at === 0) return;
        reached++;
        await judge(site, call, result, at);
        expect(site.aws.world.violations).toEqual([]);
      },
      WORLD,
    ),
  );
  return reached;
}

async function mustProve(site: Site, call: number, result: StepResult): Promise<void> {
  const post = await site.post(result);
  if (post.exitCode !== 0) throw new Error(`call ${call}: ${result.output}\n${post.output}`);
}

test(
  "SIGINT at every call: the request to go back leaves within 2 s, the post step proves the end",
  async () => {
    const slow: string[] = [];
    const reached = await atEveryCall("SIGINT", AT_A_TIME, async (site, call, result, at) => {
      // At the very last look the verdict may be out before the signal is heard: the new version is proven then.
      if (result.exitCode === 0) {
        expect(site.aws.calls).toHaveLength(call);
        return expect(truth(site.aws.world)).toBe("app:2 COMPLETED");
      }
      expect(result.outputs["outcome"]).toBe("cancelled");
      const { updated, backAt } = moves(site);
      // A signal at the very last look finds the new version proven: nothing is to be taken back.
      const ended = truth(site.aws.world).startsWith("app:2") && result.outputs["rolled-back"] === "false";
      if (updated && !ended) {
        expect(backAt).toBeGreaterThan(0);
        if (backAt - at > BACK_WITHIN_MS) slow.push(`call ${call}: ${backAt - at} ms`);
      }
      await mustProve(site, call, result);
      if (!ended) expect(truth(site.aws.world)).toBe("app:1 COMPLETED");
    });
    expect(reached).toBeGreaterThan(7);
    expect(slow).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "kill -9 at every call, then the post step: proven old, or proven new",
  async () => {
    const reached = await atEveryCall("SIGKILL", AT_A_TIME + 2, async (site, call, result) => {
      expect(result.signal).toBe("SIGKILL");
      const { phase } = JSON.parse(result.state["goci-rollout"] ?? '{"phase":"look"}') as { phase: string };
      await mustProve(site, call, result);
      // What was proven already when it died is kept.
      const kept = phase === "commit" || phase === "confirm";
      expect(truth(site.aws.world)).toBe(kept ? "app:2 COMPLETED" : "app:1 COMPLETED");
    });
    expect(reached).toBeGreaterThan(7);
  },
  LIMIT_MS,
);
