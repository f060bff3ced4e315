import { cannotMeet } from "./abilities.ts";
import { buildctlArguments } from "./arguments.ts";
import { eachPlatform } from "./build-run.ts";
import { exportCache } from "./cache-export.ts";
import { runWithCaches } from "./cache-import.ts";
import { ask, childEnv } from "./child.ts";
import type { DockerFacts } from "./docker-facts.ts";
import { dockerLoad } from "./docker-images.ts";
import type { BuildSpec, Engine, EnginePorts } from "./engine.ts";

/** A BuildKit daemon that buildctl reaches (BUILDKIT_HOST, or its usual socket). */
export async function findBuildctl(
  docker: DockerFacts | undefined,
  ports: EnginePorts,
): Promise<Engine | { readonly problem: string }> {
  const env = childEnv(ports);
  const workers = await ask(["buildctl", "debug", "workers"], env, ports);
  if (!workers) return { problem: "buildctl is not installed" };
  if (workers.code !== 0) {
    const last = workers.stderr.trim().split("\n").at(-1) ?? "";
    return { problem: `buildctl reaches no BuildKit daemon: ${last}` };
  }
  const version =
    /\d+\.\d+\.\d+\S*/.exec((await ask(["buildctl", "--version"], env, ports))?.stdout ?? "")?.[0] ?? "";
  return {
    name: "buildkit",
    version,
    about: `a BuildKit daemon, by buildctl ${version}`,
    cannot: (spec) => [
      ...cannotMeet(spec, "buildkit"),
      ...(spec.load && !docker ? ["`load` without a Docker engine"] : []),
    ],
    build: (spec, where) =>
      eachPlatform(spec, where, async (run) => {
        const buildEnv = childEnv(where, spec);
        const argv = buildctlArguments(run, "");
        const argvFor = (one: BuildSpec) => buildctlArguments({ ...run, spec: one }, "");
        const transcript = await runWithCaches(argvFor, buildEnv, spec, where);
        await exportCache(argv, buildEnv, spec.cacheTo, where);
        return { image: { path: run.output, platform: run.platform }, ...transcript.counts() };
      }),
    load: dockerLoad,
  };
}
