import { createHash } from "node:crypto";
import { Failure } from "../../../../lib/errors.ts";
import type { BuildRun } from "./arguments.ts";
import { readId } from "./build-run.ts";
import { ask, childEnv, must } from "./child.ts";
import type { EnginePorts, ExportedImage } from "./engine.ts";

/** Gives the image out that a docker builder has just made; a builder that made none has failed, whatever its exit code. */
export async function saveBuilt(run: BuildRun, ports: EnginePorts): Promise<ExportedImage> {
  const id = readId(run.idFile);
  if (!id)
    throw new Failure("the builder ended without an error and without an image", {
      code: "BUILD_FAILED",
      fix: "run `docker build` with the same context on this runner and look at what it prints",
    });
  await must(
    ["docker", "save", "--output", run.output, run.name],
    childEnv(ports),
    ports,
    "the engine could not give out the image that it built",
  );
  return { path: run.output, platform: run.platform };
}

/** Takes the run's name off the image, which deletes it unless something else needs it. Never fails. */
export async function dropImage(name: string, ports: EnginePorts): Promise<void> {
  // Also after a cancel: what is left over must not depend on when it came.
  await ask(["docker", "image", "rm", name], childEnv(ports), {
    ...ports,
    signal: new AbortController().signal,
  });
}

/**
 * The classic builder's cache is its images: deleting one deletes the cache of
 * the next run. So one image per build is kept under a name that tells, and
 * the one of the former run goes.
 */
export async function keepAsCache(run: BuildRun, ports: EnginePorts): Promise<void> {
  const env = childEnv(ports);
  const name = cacheName(run);
  const former = await idOf(name, ports);
  await ask(["docker", "tag", run.name, name], env, ports);
  await dropImage(run.name, ports);
  if (former && former !== (await idOf(name, ports))) await dropImage(former, ports);
}

function cacheName({ spec, platform }: BuildRun): string {
  const key = [spec.context, spec.file, spec.target, platform].join("\n");
  return `goci-cache:${createHash("sha256").update(key).digest("hex").slice(0, 16)}`;
}

async function idOf(name: string, ports: EnginePorts): Promise<string | undefined> {
  const exit = await ask(["docker", "image", "inspect", "--format", "{{.Id}}", name], childEnv(ports), ports);
  return exit?.code === 0 ? exit.stdout.trim() : undefined;
}

/** Takes an archive in `docker save` form into the engine. */
export async function dockerLoad(archive: string, ports: EnginePorts): Promise<void> {
  await must(
    ["docker", "load", "--input", archive],
    childEnv(ports),
    ports,
    "the engine could not load the image",
  );
}
