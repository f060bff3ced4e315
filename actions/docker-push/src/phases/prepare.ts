import { createHash } from "node:crypto";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { ExportedImage } from "../engine/engine.ts";
import type { StoredImage } from "../image/archive.ts";
import { commandsOf, encodeConfig, finalConfig, platformOf, sha256 } from "../image/config.ts";
import { type FileRange, invalidImage, RangeReader } from "../image/file-range.ts";
import type { Layer, PreparedImage, SecretFinding } from "../image/model.ts";
import { ownPart } from "../image/own-part.ts";
import { readArchive } from "../image/read-archive.ts";
import { indexTar } from "../image/tar-index.ts";
import { isYounger, readPlan, reproducibleTar, type TarPlan, untouched } from "../image/tar-rewrite.ts";
import { unpacked } from "../image/unpack.ts";
import { wastedBytes } from "../image/wasted.ts";
import { configSecrets } from "../scan/config-secrets.ts";
import { layerSecrets } from "../scan/layer-secrets.ts";
import { SecretSearch } from "../scan/secret-search.ts";

/** How an exported image is made ready for the gates. */
export interface Preparation {
  /** Seconds since the epoch; undefined leaves times and entry order as they are (`reproducible: false`). */
  readonly commitTime: number | undefined;
  /** The Dockerfile's steps on its base image: what they made is as old as the commit. */
  readonly steps?: readonly string[];
  /** Added to the image's own labels, replacing those of the same name. */
  readonly labels: ReadonlyMap<string, string>;
  /** Values that the image must not hold; undefined: no scan (`scan-secrets: false`). */
  readonly secretValues: readonly string[] | undefined;
  /** Files to keep for the SBOM; absolute paths inside the image. */
  readonly wants?: (path: string) => boolean;
  /** A private folder for layers that have to be unpacked first. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Larger files are not kept for the SBOM, bytes. */
const LARGEST_KEPT = 16 * 1024 * 1024;

/** Reads every image of an export, one per platform; throws IMAGE_INVALID when it is none or broken. */
export async function prepare(exported: ExportedImage, how: Preparation): Promise<PreparedImage[]> {
  const search = how.secretValues === undefined ? undefined : new SecretSearch(how.secretValues);
  const images: PreparedImage[] = [];
  for (const stored of await readArchive(exported.path, how.folder, how.signal)) {
    images.push(await prepareOne(stored, how, search));
  }
  return images;
}

async function prepareOne(
  stored: StoredImage,
  how: Preparation,
  search: SecretSearch | undefined,
): Promise<PreparedImage> {
  const commands = commandsOf(stored.config, (text) => (search?.inText(text).length ?? 0) > 0);
  const layers: Layer[] = [];
  const plans: TarPlan[] = [];
  const secrets: SecretFinding[] = [];
  const own = ownPart(stored.config, how.steps ?? []);
  const firstOwn = stored.layers.length - own.layers;
  for (const [index, range] of stored.layers.entries()) {
    const name = `layer ${index + 1}${commands[index] ? ` (${commands[index]})` : ""}`;
    const given = { range, diffId: stored.config.rootfs.diff_ids[index] ?? "", isOwn: index >= firstOwn };
    const layer = await readLayer(given, how, search);
    plans.push(layer.plan);
    layers.push({ diffId: layer.diffId, size: layer.plan.size, chunks: () => readPlan(layer.plan) });
    secrets.push(...layerSecrets(layer.plan, layer.hits, name).filter(() => search !== undefined));
  }
  const diffIds = layers.map((layer) => layer.diffId);
  const config = finalConfig(stored.config, diffIds, how.labels, how.commitTime, own.steps);
  // What is pushed as it is keeps its image id: the one that was tested.
  const isKept = how.commitTime === undefined && how.labels.size === 0;
  const { bytes, digest } = isKept
    ? { bytes: stored.configBytes, digest: sha256(stored.configBytes) }
    : encodeConfig(config);
  if (search) secrets.unshift(...configSecrets(config, search));
  const wasted = wastedBytes(plans);
  return {
    platform: platformOf(config),
    config,
    configBytes: bytes,
    configDigest: digest,
    labels: config.config?.Labels ?? {},
    layers: layers.map((layer, index) => ({
      ...layer,
      plainSize: layer.size,
      command: commands[index] ?? "",
      wasted: wasted[index] ?? 0,
    })),
    sizeUncompressed: bytes.length + layers.reduce((sum, layer) => sum + layer.size, 0),
    secrets,
    files: keptFiles(plans, how.wants),
  };
}

/** Decides what becomes of a layer, and reads it through once: its digest and its secrets. */
async function readLayer(
  given: { readonly range: FileRange; readonly diffId: string; readonly isOwn: boolean },
  how: Preparation,
  search: SecretSearch | undefined,
) {
  const { diffId, isOwn } = given;
  const range = await unpacked(given.range, join(how.folder, `${diffId.replace(":", "-")}.tar`), how.signal);
  const entries = indexTar(range);
  // A base image's layer stays byte for byte what registries already have. A file of the build's own has the
  // time of a checkout or of a cached step, before the commit or after it: it gets the commit's.
  const rewrite = how.commitTime !== undefined && (isOwn || isYounger(entries, how.commitTime));
  const times = { latest: how.commitTime ?? 0, earliest: isOwn ? (how.commitTime ?? 0) : 0 };
  const plan = rewrite ? reproducibleTar(range, entries, times) : untouched(range, entries);
  // What is rewritten is proven to be what the engine gave out first: a damaged file must not be made whole.
  if (rewrite) await expectDigest(untouched(range, entries), diffId, range, how.signal);
  const hash = createHash("sha256");
  const stream = search?.stream();
  for (const chunk of readPlan(plan)) {
    hash.update(chunk);
    stream?.push(chunk);
    await turn(how.signal);
  }
  const found = `sha256:${hash.digest("hex")}`;
  if (!rewrite && found !== diffId) throw damaged(range, diffId);
  return { plan, diffId: found, hits: stream?.end() ?? [] };
}

async function expectDigest(
  plan: TarPlan,
  diffId: string,
  range: FileRange,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash("sha256");
  for (const chunk of readPlan(plan)) {
    hash.update(chunk);
    await turn(signal);
  }
  if (`sha256:${hash.digest("hex")}` !== diffId) throw damaged(range, diffId);
}

function damaged(range: FileRange, diffId: string) {
  return invalidImage(`\`${range.path}\` is damaged: the layer ${diffId} has other bytes`);
}

/** Lets signals and requests have their turn during a long computation. */
async function turn(signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) throw signal.reason;
}

/** The wanted files as the running image would see them: the last layer's version, unless it was deleted. */
function keptFiles(plans: readonly TarPlan[], wants: Preparation["wants"]): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  if (!wants) return files;
  for (const plan of plans) {
    const reader = new RangeReader(plan.source);
    try {
      for (const { entry } of plan.members) {
        const path = `/${entry.path}`;
        const deleted = deletedBy(path);
        if (deleted !== undefined) {
          for (const known of files.keys()) if (`${known}/`.startsWith(deleted)) files.delete(known);
        } else if (entry.type === "0" && entry.size <= LARGEST_KEPT && wants(path))
          files.set(path, reader.read(entry.dataStart, entry.size));
      }
    } finally {
      reader.close();
    }
  }
  return files;
}

/** What a whiteout deletes, with a `/` at the end; undefined for any other member. */
function deletedBy(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  if (!name.startsWith(".wh.")) return undefined;
  const folder = path.slice(0, slash + 1);
  return name === ".wh..wh..opq" ? folder : `${folder}${name.slice(4)}/`;
}
