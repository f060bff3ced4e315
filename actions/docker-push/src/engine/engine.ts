import type { Clock } from "../../../../lib/clock.ts";
import type { Log } from "../../../../lib/log.ts";
import type { BuildInputs } from "../inputs/model.ts";

/** What can build an image. `buildkit` is buildctl, or BuildKit inside an engine whose CLI needs no plug-in. */
export type EngineName = "buildx" | "buildkit" | "classic" | "buildah";

/** What a build is asked for: the inputs, and what the run adds. */
export interface BuildSpec extends Omit<BuildInputs, "requiredFiles" | "artifact" | "engine"> {
  /** Seconds since the epoch that stand for the build's time (SOURCE_DATE_EPOCH); undefined when not reproducible. */
  readonly commitTime: number | undefined;
  /** The image stays in a local engine when the run is over. */
  readonly load: boolean;
}

/** What an engine works with. */
export interface EnginePorts {
  readonly log: Log;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The runner's environment; children get the few variables of it that they need. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A private folder (0700) for exports and secret files; its owner removes it. */
  readonly folder: string;
  /** A private folder for DOCKER_CONFIG, made by `dockerHome`. */
  readonly dockerConfig: string;
  /** The repository's folder: annotations name files relative to it. */
  readonly workspace: string;
}

/** One platform's image as an engine gave it out: a file in `docker save` or OCI layout form. */
export interface ExportedImage {
  readonly path: string;
  /** The platform asked for, "" for the engine's own. */
  readonly platform: string;
}

/** A finished build. */
export interface Built {
  readonly images: readonly ExportedImage[];
  /** Build steps, and how many of them came from the cache; 0 of 0 when the engine does not tell. */
  readonly steps: number;
  readonly cachedSteps: number;
}

/** One way to build, found to be there. */
export interface Engine {
  readonly name: EngineName;
  readonly version: string;
  /** One line for the log: what it is and how it was found. */
  readonly about: string;
  /** Names of the inputs that it cannot fulfil, empty when it can do all that is asked. */
  cannot(spec: BuildSpec): readonly string[];
  /** Builds every platform and gives each out as a file; throws BUILD_FAILED with the failing step. */
  build(spec: BuildSpec, ports: EnginePorts): Promise<Built>;
  /** Takes an archive in `docker save` form into the local engine under its names. */
  load(archive: string, ports: EnginePorts): Promise<void>;
}
