import { cannotMeet } from "./abilities.ts";
import { type BuildRun, classicArguments, imageOf } from "./arguments.ts";
import { eachPlatform } from "./build-run.ts";
import { ask, childEnv, runBuild } from "./child.ts";
import type { DockerFacts } from "./docker-facts.ts";
import {
  cacheName,
  dockerLoad,
  dropUnnamed,
  idOf,
  idOfBuilt,
  nameImage,
  saveImage,
} from "./docker-images.ts";
import type { Engine, EnginePorts, ExportedImage } from "./engine.ts";

/** The builder that every Docker engine has, also where no BuildKit and no plug-in is. */
export function classicEngine(docker: DockerFacts): Engine {
  return {
    name: "classic",
    version: docker.server,
    about: `the classic builder of Docker engine ${docker.server}, by docker CLI ${docker.client}`,
    cannot: (spec) => cannotMeet(spec, "classic"),
    build: async (spec, ports) => {
      if (spec.cacheTo.length > 0)
        ports.log.warn("`cache-to` has no effect: the classic builder keeps its cache in the engine only");
      await pullCaches(spec.cacheFrom, ports);
      return eachPlatform(spec, ports, async (run) => {
        // A newer CLI hands every build to buildx otherwise.
        const env = { ...childEnv(ports, spec), DOCKER_BUILDKIT: "0" };
        // Asked while it builds: nothing names the new image before it is done.
        const former = idOf(cacheName(run), ports);
        former.catch(() => {});
        const transcript = await runBuild(classicArguments(run), env, spec, ports);
        return { image: await takeOut(run, await former, ports), ...transcript.counts() };
      });
    },
    load: dockerLoad,
  };
}

/** Saves the image; it takes the place of the former run's as the cache, or goes where none is wanted. */
async function takeOut(
  run: BuildRun,
  former: string | undefined,
  ports: EnginePorts,
): Promise<ExportedImage> {
  const id = idOfBuilt(run);
  const isCache = !run.spec.noCache && run.platform === "";
  const keeping = isCache ? nameImage(id, cacheName(run), ports) : undefined;
  try {
    return await saveImage(id, run, ports);
  } finally {
    await keeping;
    const superfluous = isCache ? former : id;
    if (superfluous && (superfluous !== id || !isCache)) await dropUnnamed(superfluous, ports);
  }
}

/** A cache image that takes longer to pull is done without, milliseconds. */
const PULL_MS = 2 * 60_000;

/** The classic builder uses images that it has; one that cannot be had in time is done without. */
async function pullCaches(caches: readonly string[], ports: EnginePorts): Promise<void> {
  for (const cache of caches) {
    const image = imageOf(cache);
    const pulled =
      image === undefined
        ? undefined
        : await ask(["docker", "pull", "--quiet", image], childEnv(ports), ports, { timeoutMs: PULL_MS });
    if (image === undefined || pulled?.code !== 0)
      ports.log.warn(`\`cache-from\`: \`${cache}\` is done without`);
  }
}
