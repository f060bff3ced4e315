import { mkdirSync, mkdtempSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { RunContext } from "../../../lib/action.ts";
import { openArtifactStore } from "../../../lib/github/artifacts.ts";
import type { Inputs } from "./inputs.ts";
import { digestOf, type Entry, renderManifest } from "./manifest.ts";
import { gatherSource } from "./source.ts";
import { describeRelease, type NewRelease } from "./wanted.ts";

/** Fetches the artifact where one is named, gathers the source and describes the release. Nothing remote is touched but the artifact store. */
export async function makeRelease(inputs: Inputs, context: RunContext): Promise<NewRelease> {
  const { release } = inputs;
  const folder = scratchFolder(context);
  let workingDirectory = release.workingDirectory;
  let source = release.source;
  if (release.artifactName !== "") {
    const download = join(folder, "artifact");
    mkdirSync(download);
    const store = openArtifactStore({ ...context });
    const artifact = await store.download(
      release.artifactName,
      download,
      release.artifactDigest || undefined,
    );
    context.log.info(`artifact ${release.artifactName}: ${artifact.files.length} files ${artifact.digest}`);
    if (artifact.digest !== "") {
      context.draft.used({ type: "artifact", name: release.artifactName, digest: artifact.digest });
    }
    workingDirectory = download;
    if (source.length === 0) source = [(await stat(artifact.path)).isDirectory() ? "." : artifact.path];
  }
  const entries = await gatherSource({
    workingDirectory,
    source,
    exclude: release.exclude,
    stripComponents: release.stripComponents,
    roots: [context.github.workspace, context.github.temp, workingDirectory],
    scratch: join(folder, "unpacked"),
  });
  return finish(inputs, context, entries);
}

function finish(inputs: Inputs, context: RunContext, entries: readonly Entry[]): NewRelease {
  const shared = inputs.release.sharedPaths;
  const taken = entries.find((entry) =>
    shared.some((path) => entry.path === path || entry.path.startsWith(`${path}/`)),
  );
  const kept = taken
    ? entries.filter(
        (entry) => !shared.some((path) => entry.path === path || entry.path.startsWith(`${path}/`)),
      )
    : entries;
  if (taken)
    context.log.warn(`\`${taken.path}\` is below a shared path: what the source has there is not sent`);
  const manifest = renderManifest(kept);
  const digest = digestOf(manifest);
  const bytes = kept.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0);
  context.log.info(`release ${inputs.release.release}: ${kept.length} entries, ${bytes} bytes, ${digest}`);
  return describeRelease(inputs, kept, manifest, digest);
}

function scratchFolder(context: RunContext): string {
  mkdirSync(context.github.temp, { recursive: true });
  return mkdtempSync(join(context.github.temp, "goci-deploy-"));
}
