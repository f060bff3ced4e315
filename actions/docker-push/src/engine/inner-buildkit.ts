import { cannotMeet } from "./abilities.ts";
import { innerBuildKitArguments } from "./arguments.ts";
import { eachPlatform } from "./build-run.ts";
import { childEnv, runBuild } from "./child.ts";
import type { DockerFacts } from "./docker-facts.ts";
import { dockerLoad, dropImage, idOfBuilt, saveImage } from "./docker-images.ts";
import type { Engine } from "./engine.ts";

/** BuildKit inside the engine, reached by a docker CLI before 23, which needs no plug-in for it. */
export function innerBuildKit(docker: DockerFacts): Engine {
  return {
    name: "buildkit",
    version: docker.server,
    about: `BuildKit inside Docker engine ${docker.server}, by docker CLI ${docker.client}`,
    cannot: (spec) => cannotMeet(spec, "old"),
    build: async (spec, ports) => {
      if (spec.cacheTo.length > 0)
        ports.log.warn("`cache-to` has no effect: BuildKit in this engine keeps its cache to itself");
      return eachPlatform(spec, ports, async (run) => {
        const env = { ...childEnv(ports, spec), DOCKER_BUILDKIT: "1" };
        const transcript = await runBuild(innerBuildKitArguments(run), env, spec, ports);
        try {
          idOfBuilt(run);
          return { image: await saveImage(run.name, run, ports), ...transcript.counts() };
        } finally {
          await dropImage(run.name, ports);
        }
      });
    },
    load: dockerLoad,
  };
}
