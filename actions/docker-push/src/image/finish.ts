import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Failure } from "../../../../lib/errors.ts";
import { sha256 } from "./config.ts";
import { gzip } from "./gzip.ts";
import {
  type Blob,
  type LayerSummary,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_MANIFEST,
  type PreparedImage,
  type PushableImage,
} from "./model.ts";

/** How an image is made pushable. */
export interface Finishing {
  /** Annotations of the manifest itself. */
  readonly annotations: ReadonlyMap<string, string>;
  /** A private folder for the compressed layers. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

type PreparedLayer = PreparedImage["layers"][number];
type PushableLayer = PushableImage["layers"][number];

/** Compresses the layers (the same bytes for the same layers, on all cores) and writes the manifest. */
export async function finish(image: PreparedImage, how: Finishing): Promise<PushableImage> {
  const known = new Map<string, PushableLayer>();
  for (const layer of image.layers) {
    // An empty layer often occurs several times in one image.
    const blob = known.get(layer.diffId) ?? (await compressed(layer, how));
    known.set(layer.diffId, blob);
  }
  const layers = image.layers.map((layer) => ({ ...(known.get(layer.diffId) as Blob), ...summaryOf(layer) }));
  return pushable(image, layers, how.annotations);
}

/**
 * The pushable image without compressing anything, when a manifest that a
 * registry serves has this very config: its layers are then this image's
 * layers. Undefined when it has not. `open` of such a layer compresses on
 * demand, and fails when the bytes are not the same any more.
 */
export function adopt(
  image: PreparedImage,
  previous: { readonly mediaType: string; readonly bytes: Buffer },
  how: Finishing,
): PushableImage | undefined {
  const manifest = parse(previous.bytes);
  if (previous.mediaType !== OCI_MANIFEST || manifest?.config?.digest !== image.configDigest)
    return undefined;
  const described = manifest.layers ?? [];
  if (described.length !== image.layers.length || described.some((layer) => !isOurs(layer))) return undefined;
  const layers = image.layers.map((layer, index) => {
    const { digest = "", size = 0 } = described[index] ?? {};
    const open = () => Readable.from(again(layer, digest, how.signal), { objectMode: false });
    return { mediaType: OCI_LAYER, digest, size, open, ...summaryOf(layer) };
  });
  return pushable(image, layers, how.annotations);
}

/** Annotations do not change what an image is: the same layers under other annotations are adopted too. */
function pushable(
  image: PreparedImage,
  layers: readonly PushableLayer[],
  annotations: ReadonlyMap<string, string>,
): PushableImage {
  const config = bytesBlob(OCI_CONFIG, image.configBytes);
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptor(config),
      layers: layers.map(descriptor),
      ...(annotations.size > 0 ? { annotations: Object.fromEntries([...annotations].sort(byKey)) } : {}),
    }),
  );
  return {
    platform: image.platform,
    manifest: { mediaType: OCI_MANIFEST, digest: sha256(bytes), bytes },
    config,
    layers,
    sizeCompressed: config.size + layers.reduce((sum, layer) => sum + layer.size, 0),
    sizeUncompressed: image.sizeUncompressed,
  };
}

async function compressed(layer: PreparedLayer, how: Finishing): Promise<PushableLayer> {
  const path = join(how.folder, `${layer.diffId.replace(":", "-")}.tar.gz`);
  let result = { size: 0, digest: "" };
  await pipeline(
    async function* () {
      result = yield* gzip(layer.chunks(), how.signal);
    },
    createWriteStream(path, { mode: 0o600 }),
    { signal: how.signal },
  );
  const open = () => createReadStream(path, { highWaterMark: 256 * 1024 });
  return { mediaType: OCI_LAYER, ...result, open, ...summaryOf(layer) };
}

/** The layer compressed anew, and an error at its end when it is not the blob that was adopted. */
async function* again(layer: PreparedLayer, digest: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const result = yield* gzip(layer.chunks(), signal);
  if (result.digest === digest) return;
  throw new Failure(`the layer ${digest} of the former push cannot be made again`, {
    code: "DIGEST_MISMATCH",
    fix: "push with a runner of the same version, or set the `overwrite` input so that the tag may move",
    evidence: [`compressed now: ${result.digest}`],
  });
}

interface Described {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly size?: number;
}

function parse(
  bytes: Buffer,
): { readonly config?: Described; readonly layers?: readonly Described[] } | undefined {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function isOurs(layer: Described): boolean {
  return layer.mediaType === OCI_LAYER && /^sha256:[0-9a-f]{64}$/.test(layer.digest ?? "");
}

function bytesBlob(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, digest: sha256(bytes), size: bytes.length, open: () => Readable.from([bytes]) };
}

function descriptor(blob: Blob): Described {
  return { mediaType: blob.mediaType, digest: blob.digest, size: blob.size };
}

function summaryOf(layer: PreparedLayer): LayerSummary {
  const { diffId, plainSize, command, wasted } = layer;
  return { diffId, plainSize, command, wasted };
}

function byKey(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : 1;
}
