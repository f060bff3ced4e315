import { cannotMeet } from "./abilities.ts";
import { buildahArguments } from "./arguments.ts";
import { eachPlatform, readId } from "./build-run.ts";
import { ask, childEnv, must, runBuild } from "./child.ts";
import type { Engine, EnginePorts } from "./engine.ts";

/** buildah, which builds without a daemon. */
export async function findBuildah(ports: EnginePorts): Promise<Engine | { readonly problem: string }> {
  const env = childEnv(ports);
  const info = await ask(["buildah", "info"], env, ports);
  if (!info) return { problem: "buildah is not installed" };
  if (info.code !== 0)
    return { problem: `buildah does not work here: ${info.stderr.trim().split("\n").at(-1)}` };
  const version =
    /\d+\.\d+\.\d+\S*/.exec((await ask(["buildah", "--version"], env, ports))?.stdout ?? "")?.[0] ?? "";
  return {
    name: "buildah",
    version,
    about: `buildah ${version}`,
    cannot: (spec) => cannotMeet(spec, "buildah"),
    build: (spec, where) => {
      if (spec.cacheFrom.length + spec.cacheTo.length > 0)
        where.log.warn(
          "`cache-from` and `cache-to` have no effect: buildah keeps its cache in its own storage",
        );
      return eachPlatform(spec, where, async (run) => {
        const transcript = await runBuild(buildahArguments(run), childEnv(where, spec), spec, where);
        const archive = `oci-archive:${run.output}`;
        try {
          await must(
            ["buildah", "push", "--quiet", "--disable-compression", readId(run.idFile) ?? run.name, archive],
            childEnv(where),
            where,
            "buildah could not give out the image that it built",
          );
          return { image: { path: run.output, platform: run.platform }, ...transcript.counts() };
        } finally {
          const always = { ...where, signal: new AbortController().signal };
          await ask(["buildah", "rmi", run.name], childEnv(where), always);
        }
      });
    },
    load: async (path, where) => {
      const argv = ["buildah", "pull", "--quiet", `docker-archive:${path}`] as const;
      await must([...argv], childEnv(where), where, "buildah could not load the image");
    },
  };
}
