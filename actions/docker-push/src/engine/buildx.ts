import { cannotMeet } from "./abilities.ts";
import { buildxArguments } from "./arguments.ts";
import { eachPlatform } from "./build-run.ts";
import { exportCache } from "./cache-export.ts";
import { runWithCaches } from "./cache-import.ts";
import { ask, childEnv } from "./child.ts";
import { type DockerFacts, major } from "./docker-facts.ts";
import { dockerLoad, dropImage, idOfBuilt, saveImage } from "./docker-images.ts";
import type { BuildSpec, Engine, EnginePorts } from "./engine.ts";

/** The least that a builder must be able to do; nothing is pulled for it and nothing stays. */
const TRIAL = "FROM scratch\nLABEL goci=trial\n";

/**
 * buildx, when it builds: that the plug-in is there proves nothing, since one
 * that is too new for the engine fails at the first build.
 */
export async function findBuildx(
  docker: DockerFacts | undefined,
  ports: EnginePorts,
): Promise<Engine | { readonly problem: string }> {
  const env = childEnv(ports);
  const inspected = await ask(["docker", "buildx", "inspect"], env, ports);
  if (inspected?.code !== 0) return { problem: "the docker CLI has no working buildx plug-in" };
  const driver = /^Driver:\s*(\S+)/m.exec(inspected.stdout)?.[1] ?? "docker";
  const argv = [
    "docker",
    "buildx",
    "build",
    "--progress",
    "plain",
    "--output",
    "type=cacheonly",
    "-",
  ] as const;
  const trial = await ask([...argv], env, ports, { stdin: TRIAL });
  if (trial?.code !== 0) {
    const lines = (trial?.stderr ?? "")
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    return { problem: `buildx (driver ${driver}) cannot build: ${lines.at(-1) ?? "no answer"}` };
  }
  const version = /v?\d+\.\d+\.\d+\S*/.exec(
    (await ask(["docker", "buildx", "version"], env, ports))?.stdout ?? "",
  );
  return buildxEngine(driver, version?.[0] ?? "", docker);
}

function buildxEngine(driver: string, version: string, docker: DockerFacts | undefined): Engine {
  const toFile = driver !== "docker";
  // Inside an engine before 23 works a BuildKit that drops what it does not know.
  const kind = !toFile && docker && major(docker.server) < 23 ? "old" : "buildx";
  return {
    name: "buildx",
    version,
    about: `buildx ${version} with its ${driver} driver${docker ? `, Docker engine ${docker.server}` : ""}`,
    cannot: (spec) => [
      ...cannotMeet(spec, kind),
      ...(spec.load && !docker ? ["`load` without a Docker engine"] : []),
    ],
    build: (spec, ports) =>
      eachPlatform(spec, ports, async (run) => {
        const env = childEnv(ports, spec);
        const argv = buildxArguments(run, toFile);
        const argvFor = (one: BuildSpec) => buildxArguments({ ...run, spec: one }, toFile);
        const transcript = await runWithCaches(argvFor, env, spec, ports);
        const counts = transcript.counts();
        try {
          if (!toFile) idOfBuilt(run);
          const image = toFile
            ? { path: run.output, platform: run.platform }
            : await saveImage(run.name, run, ports);
          await exportCache(argv, env, usableCaches(spec, toFile, ports), ports);
          return { image, ...counts };
        } finally {
          if (!toFile) await dropImage(run.name, ports);
        }
      }),
    load: dockerLoad,
  };
}

/** The builder inside an engine can give no cache out; inline caches end with the layers that are made anew. */
function usableCaches(spec: BuildSpec, toFile: boolean, ports: EnginePorts): readonly string[] {
  return spec.cacheTo.filter((cache) => {
    const usable = toFile && !cache.includes("type=inline");
    if (!usable) ports.log.warn(`\`cache-to\`: \`${cache}\` has no effect with this builder`);
    return usable;
  });
}
