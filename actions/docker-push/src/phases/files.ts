import type { RunContext } from "../../../../lib/action.ts";
import { requireFiles } from "../gates/required-files.ts";
import { checkScanInputs, isScanWanted } from "../gates/vulnerabilities.ts";
import type { Inputs } from "../inputs/model.ts";
import { requirePlaces } from "../inputs/places.ts";
import { placeArtifact } from "./artifact.ts";

/** Brings the artifact of the earlier job, and makes sure of every file that the run needs, before anything is built. */
export async function checkFiles(inputs: Inputs, context: RunContext): Promise<void> {
  const { artifact, requiredFiles, context: folder, file } = inputs.build;
  if (artifact && !inputs.dryRun) {
    await placeArtifact(artifact, context);
    requirePlaces(inputs);
  }
  if (inputs.source.kind === "build" && !(artifact && inputs.dryRun)) {
    requireFiles(requiredFiles, { context: folder, dockerfile: file });
  }
  if (isScanWanted(inputs.gates)) await checkScanInputs(inputs.gates, new Date(context.clock.now()));
}
