import { join } from "node:path";
import { Failure, UserError } from "../../../../lib/errors.ts";
import type { BuildInputs } from "../inputs/model.ts";
import { ableEngines, cannotMeet } from "./abilities.ts";
import { findBuildah } from "./buildah.ts";
import { findBuildctl } from "./buildctl.ts";
import { findBuildx } from "./buildx.ts";
import { childEnv, must } from "./child.ts";
import { classicEngine } from "./classic.ts";
import { askDocker, type DockerFacts, major, type NoDocker } from "./docker-facts.ts";
import { idOf } from "./docker-images.ts";
import type { BuildSpec, Engine, EngineName, EnginePorts, ExportedImage } from "./engine.ts";
import { innerBuildKit } from "./inner-buildkit.ts";

/** The order of preference: who can do most, and who needs least. */
const ORDER: readonly EngineName[] = ["buildx", "buildkit", "classic", "buildah"];

type Found = Engine | { readonly problem: string };

/**
 * The engine that builds: the named one, or the first that is there and can do
 * all that is asked. Throws ENGINE_UNAVAILABLE when there is none, UNSUPPORTED
 * (naming inputs, and the engine that could) when it cannot do what is asked.
 */
export async function chooseEngine(
  wanted: BuildInputs["engine"],
  spec: BuildSpec,
  ports: EnginePorts,
): Promise<Engine> {
  const docker = await askDocker(ports);
  const unable: string[] = [];
  const missing: string[] = [];
  for (const name of wanted === "auto" ? ORDER : [wanted]) {
    // What such an engine can never do need not be asked of it.
    const never = cannotMeet(spec, name);
    const found = never.length > 0 ? { problem: "" } : await find(name, docker, ports);
    if ("problem" in found && never.length === 0) missing.push(`${name}: ${found.problem}`);
    const cannot = "problem" in found ? never : found.cannot(spec);
    if (!("problem" in found) && cannot.length === 0) return found;
    if (cannot.length > 0) unable.push(`${name} cannot do ${cannot.join(", ")}`);
  }
  throw unable.length > 0 ? unsupported(wanted, spec, unable, missing) : unavailable(wanted, missing);
}

async function find(name: EngineName, docker: DockerFacts | NoDocker, ports: EnginePorts): Promise<Found> {
  const there = "problem" in docker ? undefined : docker;
  if (name === "buildah") return findBuildah(ports);
  if (name === "classic") return there ? classicEngine(there) : (docker as NoDocker);
  if (name === "buildx")
    return "problem" in docker && /not installed/.test(docker.problem) ? docker : findBuildx(there, ports);
  const daemon = await findBuildctl(there, ports);
  if (!("problem" in daemon)) return daemon;
  if (!there) return daemon;
  // Newer CLIs hand BuildKit builds to the buildx plug-in, and fail without it.
  if (major(there.client) < 23 && major(there.server) >= 19) return innerBuildKit(there);
  return {
    problem: `${daemon.problem}; docker CLI ${there.client} reaches the engine's own only through buildx`,
  };
}

function unsupported(
  wanted: string,
  spec: BuildSpec,
  unable: readonly string[],
  missing: readonly string[],
): Failure {
  const able = ableEngines(spec);
  const fix =
    able.length === 0
      ? "no engine can do all of this at once: leave one of these inputs out"
      : `leave these inputs out, or ${wanted === "auto" ? "install" : "choose"} ${able.join(" or ")}`;
  return new Failure(`\`engine\` \`${wanted}\`: ${unable.join("; ")}`, {
    code: "UNSUPPORTED",
    fix,
    evidence: missing,
  });
}

function unavailable(wanted: string, missing: readonly string[]): Failure {
  return new Failure(`\`engine\` \`${wanted}\`: nothing here can build an image: ${missing.join("; ")}`, {
    code: "ENGINE_UNAVAILABLE",
    fix: "use a runner with Docker or buildah, start the engine, or set `DOCKER_HOST` or `BUILDKIT_HOST`",
    evidence: missing,
  });
}

/** Gives an image of the local Docker engine out as a file (`source: daemon:<ref>`). */
export async function exportFromDaemon(reference: string, ports: EnginePorts): Promise<ExportedImage> {
  const docker = await askDocker(ports);
  if ("problem" in docker) throw unavailable("auto", [docker.problem]);
  if ((await idOf(reference, ports)) === undefined)
    throw new UserError(
      [`\`source\`: the Docker engine has no image \`${reference}\``],
      "name one that `docker images` lists",
    );
  const path = join(ports.folder, "daemon.tar");
  const what = `\`source\`: the engine could not give out \`${reference}\``;
  await must(["docker", "save", "--output", path, reference], childEnv(ports), ports, what);
  return { path, platform: "" };
}
