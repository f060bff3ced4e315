import { cannotMeet } from "./abilities.ts";
import { classicArguments, imageOf } from "./arguments.ts";
import { eachPlatform } from "./build-run.ts";
import { ask, childEnv, runBuild } from "./child.ts";
import type { DockerFacts } from "./docker-facts.ts";
import { dockerLoad, dropImage, keepAsCache, saveBuilt } from "./docker-images.ts";
import type { Engine } from "./engine.ts";

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
        // Its cache knows nothing of platforms: the second would be given the first one's image.
        const wanted = { ...run, spec: { ...spec, noCache: spec.noCache || spec.platforms.length > 1 } };
        const transcript = await runBuild(classicArguments(wanted), env, spec, ports);
        try {
          const image = await saveBuilt(run, ports);
          if (!wanted.spec.noCache) await keepAsCache(run, ports);
          return { image, ...transcript.counts() };
        } finally {
          await dropImage(run.name, ports);
        }
      });
    },
    load: dockerLoad,
  };
}

/** A cache image that takes longer to pull is done without, milliseconds. */
const PULL_MS = 2 * 60_000;

/** The classic builder uses images that it has; one that cannot be had in time is done without. */
async function pullCaches(caches: readonly string[], ports: Parameters<Engine["build"]>[1]): Promise<void> {
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
