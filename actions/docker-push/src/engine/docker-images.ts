import { createHash } from "node:crypto";
import { Failure } from "../../../../lib/errors.ts";
import type { BuildRun } from "./arguments.ts";
import { readId } from "./build-run.ts";
import { ask, childEnv, must } from "./child.ts";
import type { EnginePorts, ExportedImage } from "./engine.ts";

/** The id of the image that a docker builder has just made; a builder that made none has failed, whatever its exit code. */
export function idOfBuilt(run: BuildRun): string {
  const id = readId(run.idFile);
  if (id) return id;
  throw new Failure("the builder ended without an error and without an image", {
    code: "BUILD_FAILED",
    fix: "run `docker build` with the same context on this runner and look at what it prints",
  });
}

/** Gives an image of the engine out as a file. */
export async function saveImage(name: string, run: BuildRun, ports: EnginePorts): Promise<ExportedImage> {
  await must(
    ["docker", "save", "--output", run.output, name],
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
 * The name under which the classic builder's last image of this build is kept:
 * its cache is its images, and deleting one deletes the cache of the next run.
 */
export function cacheName({ spec, platform }: BuildRun): string {
  const key = [spec.context, spec.file, spec.target, platform].join("\n");
  return `goci-cache:${createHash("sha256").update(key).digest("hex").slice(0, 16)}`;
}

/** The image that a name stands for now. */
export async function idOf(name: string, ports: EnginePorts): Promise<string | undefined> {
  const exit = await ask(["docker", "image", "inspect", "--format", "{{.Id}}", name], childEnv(ports), ports);
  return exit?.code === 0 ? exit.stdout.trim() : undefined;
}

/** Deletes an image that no name is left for; one that the user has named as well stays. Never fails. */
export async function dropUnnamed(id: string, ports: EnginePorts): Promise<void> {
  const always = { ...ports, signal: new AbortController().signal };
  const argv = ["docker", "image", "inspect", "--format", "{{len .RepoTags}}", id] as const;
  const names = await ask([...argv], childEnv(ports), always);
  // By its id an image with a single name would lose that name, and with it itself.
  if (names?.code === 0 && names.stdout.trim() === "0") await dropImage(id, ports);
}

/** Gives an image a further name. Never fails. */
export async function nameImage(id: string, name: string, ports: EnginePorts): Promise<void> {
  await ask(["docker", "tag", id, name], childEnv(ports), ports);
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
