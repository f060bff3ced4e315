import { basename, dirname } from "node:path";
import type { BuildSpec } from "./engine.ts";

/** A build secret as a file that exists for the time of the build only. */
export interface SecretFile {
  readonly id: string;
  readonly path: string;
}

/** One build of one platform. */
export interface BuildRun {
  readonly spec: BuildSpec;
  /** "" is the engine's own. */
  readonly platform: string;
  readonly secrets: readonly SecretFile[];
  /** Where the engine writes the id of the image. */
  readonly idFile: string;
  /** A name for the time of the run. */
  readonly name: string;
  /** Where an engine that can writes the image itself. */
  readonly output: string;
}

/** Arguments that the docker CLI's builders share, after `docker build` or `docker buildx build`. */
function dockerArguments({ spec, platform, idFile }: BuildRun): string[] {
  return [
    ...["--file", spec.file, "--iidfile", idFile],
    ...when(spec.target, ["--target", spec.target]),
    ...pairs("--build-arg", spec.args),
    ...when(platform, ["--platform", platform]),
    ...when(spec.network, ["--network", spec.network]),
    ...spec.addHosts.flatMap((host) => ["--add-host", host]),
    ...when(spec.noCache, ["--no-cache"]),
    ...when(spec.pull, ["--pull"]),
  ];
}

function limits({ spec }: BuildRun): string[] {
  return [
    ...when(spec.shmSize, ["--shm-size", String(spec.shmSize)]),
    ...spec.ulimits.flatMap((limit) => ["--ulimit", limit]),
  ];
}

function mounts({ spec, secrets }: BuildRun): string[] {
  return [
    ...secrets.flatMap(({ id, path }) => ["--secret", `id=${id},src=${path}`]),
    ...spec.ssh.flatMap((agent) => ["--ssh", agent]),
  ];
}

/** `docker build` of the classic builder. Its layer cache takes images that the engine has. */
export function classicArguments(run: BuildRun): [string, ...string[]] {
  const cache = run.spec.cacheFrom.map(imageOf).filter((image) => image !== undefined);
  return [
    ...(["docker", "build"] as const),
    ...dockerArguments(run),
    ...limits(run),
    // A failing step leaves its container otherwise.
    "--force-rm",
    // It takes cached steps of one platform for those of another.
    ...when(run.platform && !run.spec.noCache, ["--no-cache"]),
    ...cache.flatMap((image) => ["--cache-from", image]),
    run.spec.context,
  ];
}

/** `docker build` of BuildKit inside an engine, by a CLI that needs no plug-in. */
export function innerBuildKitArguments(run: BuildRun): [string, ...string[]] {
  const cache = run.spec.cacheFrom.map(imageOf).filter((image) => image !== undefined);
  return [
    ...(["docker", "build", "--progress", "plain", "--tag", run.name] as const),
    ...dockerArguments(run),
    ...mounts(run),
    ...cache.flatMap((image) => ["--cache-from", image]),
    run.spec.context,
  ];
}

/** `docker buildx build`; `toFile` when its builder is no engine that could save the image afterwards. */
export function buildxArguments(run: BuildRun, toFile: boolean): [string, ...string[]] {
  const { spec } = run;
  return [
    ...(["docker", "buildx", "build", "--progress", "plain"] as const),
    // The push makes its own documents; an index of its own is not wanted around one image.
    ...["--provenance=false", "--sbom=false", "--tag", run.name],
    ...dockerArguments(run),
    ...limits(run),
    ...mounts(run),
    ...pairs("--build-context", spec.contexts),
    ...when(spec.network === "host", ["--allow", "network.host"]),
    ...spec.cacheFrom.flatMap((cache) => ["--cache-from", cache]),
    ...(toFile ? ["--output", `type=oci,dest=${run.output},compression=uncompressed`] : ["--load"]),
    spec.context,
  ];
}

/** `buildctl build` against a BuildKit daemon of its own. */
export function buildctlArguments(run: BuildRun, address: string): [string, ...string[]] {
  const { spec, platform, secrets } = run;
  const opt = (key: string, value: string) => ["--opt", `${key}=${value}`];
  return [
    "buildctl",
    ...when(address, ["--addr", address]),
    ...["build", "--progress", "plain", "--frontend", "dockerfile.v0"],
    ...["--local", `context=${spec.context}`, "--local", `dockerfile=${dirname(spec.file)}`],
    ...opt("filename", basename(spec.file)),
    ...when(spec.target, opt("target", spec.target)),
    ...[...spec.args].flatMap(([key, value]) => opt(`build-arg:${key}`, value)),
    ...when(platform, opt("platform", platform)),
    ...networkOptions(spec.network),
    ...when(spec.addHosts.length, opt("add-hosts", spec.addHosts.map(hostPair).join(","))),
    ...when(spec.shmSize, opt("shm-size", String(spec.shmSize))),
    ...when(spec.ulimits.length, opt("ulimit", spec.ulimits.join(","))),
    ...[...spec.contexts].flatMap(([key, place]) => namedContext(key, place)),
    ...when(spec.noCache, ["--no-cache"]),
    ...when(spec.pull, opt("image-resolve-mode", "pull")),
    ...secrets.flatMap(({ id, path }) => ["--secret", `id=${id},src=${path}`]),
    ...spec.ssh.flatMap((agent) => ["--ssh", agent]),
    ...spec.cacheFrom.flatMap((cache) => ["--import-cache", cacheOption(cache)]),
    ...["--output", `type=oci,dest=${run.output},compression=uncompressed`],
  ];
}

function networkOptions(network: string): string[] {
  if (network === "" || network === "default") return [];
  const mode = ["--opt", `force-network-mode=${network}`];
  return network === "host" ? [...mode, "--allow", "network.host"] : mode;
}

/** A path becomes a folder that is sent; everything else is the frontend's to fetch. */
function namedContext(name: string, place: string): string[] {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) return ["--opt", `context:${name}=${place}`];
  return ["--local", `${name}=${place}`, "--opt", `context:${name}=local:${name}`];
}

/** BuildKit separates name and address by `=`, Docker by `:` (an IPv6 address has more of them). */
function hostPair(host: string): string {
  const separator = host.includes("=") ? host.indexOf("=") : host.indexOf(":");
  return `${host.slice(0, separator)}=${host.slice(separator + 1).replace(/^\[|\]$/g, "")}`;
}

/** `buildah bud`. */
export function buildahArguments(run: BuildRun): [string, ...string[]] {
  const { spec } = run;
  return [
    ...(["buildah", "bud", "--format", "oci"] as const),
    ...["--file", spec.file, "--iidfile", run.idFile, "--tag", run.name, "--force-rm"],
    ...when(spec.target, ["--target", spec.target]),
    ...pairs("--build-arg", spec.args),
    ...when(run.platform, ["--platform", run.platform]),
    ...when(spec.network, ["--network", spec.network]),
    ...limits(run),
    ...spec.addHosts.flatMap((host) => ["--add-host", host]),
    // Always one layer for a step: an image must not depend on whether the cache was used.
    "--layers",
    ...when(spec.noCache, ["--no-cache"]),
    ...when(spec.pull, ["--pull-always"]),
    ...mounts(run),
    ...pairs("--build-context", spec.contexts),
    spec.context,
  ];
}

/** The second run of buildx or buildctl, which gives the cache out and nothing else. */
export function cacheExport(
  argv: readonly [string, ...string[]],
  caches: readonly string[],
): [string, ...string[]] {
  const buildctl = argv[0] === "buildctl";
  const [program, ...rest] = argv;
  const kept = rest.filter((word, index) => !isOutput(word) && !isOutput(rest[index - 1] ?? ""));
  const context = buildctl ? [] : [kept.pop() ?? "."];
  const exports = caches.flatMap((cache) => [buildctl ? "--export-cache" : "--cache-to", cacheOption(cache)]);
  return [program, ...kept, ...exports, ...(buildctl ? [] : ["--output", "type=cacheonly"]), ...context];
}

function isOutput(word: string): boolean {
  return word === "--output" || word === "--iidfile" || word === "--tag";
}

/** A plain image name stands for a cache in the registry. */
function cacheOption(cache: string): string {
  return cache.includes("=") ? cache : `type=registry,ref=${cache}`;
}

/** The image of a cache option, where it is one: `name` or `type=registry,ref=name`. */
export function imageOf(cache: string): string | undefined {
  if (!cache.includes("=")) return cache;
  const fields = new Map(cache.split(",").map((field) => field.split("=", 2) as [string, string]));
  return fields.get("type") === "registry" ? fields.get("ref") : undefined;
}

function pairs(flag: string, map: ReadonlyMap<string, string>): string[] {
  return [...map].flatMap(([key, value]) => [flag, `${key}=${value}`]);
}

function when(condition: unknown, words: readonly string[]): readonly string[] {
  return condition ? words : [];
}
