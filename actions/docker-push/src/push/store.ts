import type { BlobSource, RegistryClient } from "../registry/client.ts";
import type { Repository } from "../registry/names.ts";
import type { PushImage, PushJob, PushPorts } from "./model.ts";

/** Blobs of one image that are sent at the same time. */
const AT_ONCE = 4;

/**
 * Stores the root (and with it blobs and children) by digest in every
 * repository; where the root is already, that is one HEAD and nothing else.
 * The first repository of a registry gets the bytes, the others take them over
 * from it. Returns the bytes sent.
 */
export async function storeEverywhere(job: PushJob, ports: PushPorts): Promise<number> {
  const sources = new Map<string, string>();
  let sent = 0;
  for (const repository of job.repositories) {
    const from = sources.get(repository.origin);
    sent += await storeRoot(job, repository, from, ports);
    sources.set(repository.origin, from ?? repository.path);
  }
  return sent;
}

async function storeRoot(
  job: PushJob,
  repository: Repository,
  from: string | undefined,
  ports: PushPorts,
): Promise<number> {
  const client = ports.client(repository);
  const { path, name } = repository;
  if (await client.headManifest(path, job.root.digest)) {
    ports.log.info(`${name}: ${job.root.digest} is there already`);
    return 0;
  }
  let sent = 0;
  const isIndex = job.images.every((image) => image.manifest.digest !== job.root.digest);
  for (const image of job.images) {
    if (isIndex && (await client.headManifest(path, image.manifest.digest))) continue;
    sent += await storeBlobs(client, path, blobsOf(image), from, ports.signal);
    await client.putManifest(path, image.manifest.digest, image.manifest);
  }
  if (isIndex) await client.putManifest(path, job.root.digest, job.root);
  ports.log.info(`${name}: stored ${job.root.digest} (${sent} bytes sent)`);
  return sent;
}

function blobsOf(image: PushImage): BlobSource[] {
  const unique = new Map([...image.layers, image.config].map((blob) => [blob.digest, blob]));
  return [...unique.values()];
}

/** Makes sure that these blobs are in a repository; returns the bytes sent. */
export async function storeBlobs(
  client: RegistryClient,
  path: string,
  blobs: readonly BlobSource[],
  from: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  // One that fails ends the others: their bytes are of no use any more.
  const failed = new AbortController();
  const bounded = client.withSignal(AbortSignal.any([signal, failed.signal]));
  const queue = [...blobs];
  let sent = 0;
  const work = async () => {
    for (let blob = queue.shift(); blob; blob = queue.shift()) {
      const bytes = await storeBlob(bounded, path, blob, from);
      sent += bytes;
    }
  };
  const workers = Array.from({ length: AT_ONCE }, () =>
    work().catch((error: unknown) => {
      queue.length = 0;
      // The first reason counts: what the others then say is its echo.
      failed.abort(error);
      throw failed.signal.reason;
    }),
  );
  const ends = await Promise.allSettled(workers);
  signal.throwIfAborted();
  const broken = ends.find((end) => end.status === "rejected");
  if (broken) throw broken.reason;
  return sent;
}

async function storeBlob(
  client: RegistryClient,
  path: string,
  blob: BlobSource,
  from: string | undefined,
): Promise<number> {
  if (from !== undefined && (await client.mountBlob(path, blob.digest, from))) return 0;
  if (await client.hasBlob(path, blob.digest)) return 0;
  await client.uploadBlob(path, blob);
  return blob.size;
}
