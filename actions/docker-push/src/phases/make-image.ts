import type { RunContext } from "../../../../lib/action.ts";
import { Failure } from "../../../../lib/errors.ts";
import { sbomWants } from "../attest/statements.ts";
import { readDockerfile } from "../engine/abilities.ts";
import { parseDockerfile, stepsOnBase } from "../engine/dockerfile.ts";
import type { BuildSpec, Built, Engine, EnginePorts } from "../engine/engine.ts";
import { chooseEngine, exportFromDaemon } from "../engine/probe.ts";
import { type PreparedImage, platformText } from "../image/model.ts";
import type { Inputs } from "../inputs/model.ts";
import { baseHosts } from "../login/base-hosts.ts";
import { makePrivateHome } from "../login/private-home.ts";
import type { Plan } from "../plan/plan.ts";
import type { Known } from "../plan/repository.ts";
import type { Workshop } from "../workshop.ts";
import type { Access } from "./access.ts";
import { prepare } from "./prepare.ts";

/** How the image is made: an engine that was found to be able to, or a source that exists. */
export interface Maker {
  /** Undefined when nothing is built. */
  readonly engine: Engine | undefined;
  readonly spec: BuildSpec;
  readonly ports: EnginePorts;
}

/** Looks for an engine that can do all that is asked; logins for its base images are written only where it builds. */
export async function findMaker(
  inputs: Inputs,
  known: Known,
  access: Access,
  context: RunContext,
  workshop: Workshop,
): Promise<Maker> {
  const { requiredFiles: _files, engine: wanted, ...build } = inputs.build;
  const spec: BuildSpec = { ...build, commitTime: commitTime(inputs, known), load: inputs.load };
  const { log, clock, signal, env } = context;
  const folder = workshop.place("export");
  const home = makePrivateHome(workshop.folder);
  const isBuild = inputs.source.kind === "build";
  const pulled = isBuild && baseHosts(readDockerfile(spec.file), spec.args, spec.contexts);
  home.fill(env, pulled ? await access.registries.logins.auths(pulled) : {});
  const { workspace } = context.github;
  const ports = { log, clock, signal, env, folder, dockerConfig: home.folder, workspace };
  // To keep an existing image in the engine needs one as well.
  if (!isBuild && !inputs.load) return { engine: undefined, spec, ports };
  const engine = await chooseEngine(wanted, spec, ports);
  log.info(`engine ${engine.name} ${engine.version}: ${engine.about}`);
  return { engine, spec, ports };
}

/** Builds, or takes out what the source names. */
export async function makeImage({ engine, spec, ports }: Maker, inputs: Inputs): Promise<Built> {
  const { source } = inputs;
  if (source.kind === "tar")
    return { images: [{ path: source.path, platform: "" }], steps: 0, cachedSteps: 0 };
  if (source.kind === "daemon" || !engine) {
    const reference = source.kind === "daemon" ? source.reference : "";
    return { images: [await exportFromDaemon(reference, ports)], steps: 0, cachedSteps: 0 };
  }
  return engine.build(spec, ports);
}

/**
 * Reads every platform's image and makes it what it will be: labels, times,
 * and what the secret scan found. An image that existed before stays as it was
 * tested: it gets only the labels that the user asked for.
 */
export async function prepareImages(
  built: Built,
  wanted: { readonly inputs: Inputs; readonly known: Known; readonly plan: Plan },
  context: Pick<RunContext, "signal">,
  workshop: Workshop,
): Promise<PreparedImage[]> {
  const { inputs, known, plan } = wanted;
  const isBuilt = inputs.source.kind === "build";
  const { file, target } = inputs.build;
  const steps = isBuilt ? stepsOnBase(parseDockerfile(readDockerfile(file)), target) : [];
  const images: PreparedImage[] = [];
  for (const exported of built.images) {
    images.push(
      ...(await prepare(exported, {
        commitTime: isBuilt ? commitTime(inputs, known) : undefined,
        steps,
        labels: isBuilt ? plan.labels : inputs.labels,
        secretValues: inputs.gates.scanSecrets ? inputs.secretValues : undefined,
        ...(inputs.sbom ? { wants: sbomWants } : {}),
        folder: workshop.place("layers"),
        signal: context.signal,
      })),
    );
  }
  requirePlatforms(images, inputs.build.platforms);
  return images;
}

/**
 * An engine that takes a step of another platform from its cache, or has no
 * emulation and goes on, gives out an image that would not start where it is
 * pulled. Throws BUILD_FAILED unless there is one image for each platform.
 */
export function requirePlatforms(
  images: readonly Pick<PreparedImage, "platform">[],
  wanted: readonly string[],
): void {
  if (wanted.length === 0) return;
  const got = images.map((image) => platformText(image.platform));
  const missing = wanted.filter((platform) => got.filter((item) => isPlatform(item, platform)).length !== 1);
  if (missing.length === 0 && got.length === wanted.length) return;
  throw new Failure(`asked for ${wanted.join(", ")} the engine gave out ${got.join(", ") || "nothing"}`, {
    code: "BUILD_FAILED",
    fix: "build with `no-cache: true`, or with an engine that builds for other platforms (`engine: buildx` with emulation)",
  });
}

/** The variant counts where both name one: arm64 and arm64/v8 are the same. */
function isPlatform(got: string, wanted: string): boolean {
  return got === wanted || got.startsWith(`${wanted}/`) || wanted.startsWith(`${got}/`);
}

/** Seconds since the epoch. */
function commitTime(inputs: Pick<Inputs, "reproducible">, known: Known): number | undefined {
  return inputs.reproducible ? Math.floor(known.facts.commitTime.getTime() / 1000) : undefined;
}
