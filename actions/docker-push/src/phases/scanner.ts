import { join } from "node:path";
import type { RunContext } from "../../../../lib/action.ts";
import { isScanWanted, judgeFindings, type Verdict } from "../gates/vulnerabilities.ts";
import type { PreparedImage } from "../image/model.ts";
import { writeArchive } from "../image/write-archive.ts";
import type { Inputs } from "../inputs/model.ts";
import type { Workshop } from "../workshop.ts";

/** The variable by which the post step knows a scanner that a killed run left. */
const MARK = "GOCI_DOCKER_PUSH";

/**
 * Judges the findings about the image; of several platforms a command gets each
 * in turn. Undefined when no scanner was asked for.
 */
export async function scanImages(
  images: readonly PreparedImage[],
  inputs: Inputs,
  context: RunContext,
  workshop: Workshop,
): Promise<readonly Verdict[]> {
  if (!isScanWanted(inputs.gates)) return [];
  const isRun = inputs.gates.vulnerabilityCommand.length > 0;
  const verdicts: Verdict[] = [];
  for (const [index, image] of (isRun ? images : images.slice(0, 1)).entries()) {
    const path = join(workshop.place("scan"), `image-${index}.tar`);
    const { log, clock, signal } = context;
    const env = { ...scannerEnv(context.env, inputs.secretValues), [MARK]: workshop.folder };
    const imageTar = async () => {
      await writeArchive(image, [], path, signal);
      return path;
    };
    verdicts.push(
      await judgeFindings(inputs.gates, {
        log,
        clock,
        signal,
        env,
        cwd: inputs.root,
        timeoutMs: inputs.timeoutMs,
        imageTar,
      }),
    );
  }
  return verdicts;
}

/** The runner's environment without the step's inputs, the runner's files and tokens, and any variable that holds a secret. */
export function scannerEnv(
  env: Readonly<Record<string, string | undefined>>,
  secrets: readonly string[],
): Record<string, string | undefined> {
  const runners = /^(INPUT_|STATE_|ACTIONS_|GITHUB_(OUTPUT|STATE|ENV|PATH|STEP_SUMMARY|TOKEN)$)/;
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => !runners.test(name) && !secrets.some((secret) => value?.includes(secret)),
    ),
  );
}
