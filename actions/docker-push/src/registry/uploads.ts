import type { Readable } from "node:stream";
import type { BlobSource } from "./client.ts";
import { digestOf } from "./manifests.ts";
import { Transient } from "./retry.ts";
import type { Call, Session } from "./session.ts";
import type { Answer, RequestBody } from "./transport.ts";

/** Parts of a blob that a registry (or a proxy before it) does not take whole, bytes. */
const CHUNK = 16 << 20;

/** How long a cancelled run may take to cancel an upload, milliseconds. */
const FAREWELL_MS = 1000;

/** Longest blob that is read into memory, bytes. */
const SMALL = 8 << 20;

/** See RegistryClient.hasBlob. */
export async function hasBlob(session: Session, path: string, digest: string): Promise<boolean> {
  const call = blobCall("HEAD", path, digest, true);
  const answer = await session.call(call);
  if (answer.status === 200) return true;
  if (answer.status === 404) return false;
  throw session.refused(answer, call);
}

/** See RegistryClient.getBlob. */
export async function getBlob(session: Session, path: string, digest: string): Promise<Buffer | undefined> {
  const call = { ...blobCall("GET", path, digest, false), maxBytes: SMALL };
  const answer = await session.call(call);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200 || digestOf(answer.body) !== digest) throw session.refused(answer, call);
  return answer.body;
}

/** See RegistryClient.mountBlob: only 201 means done; a 202 has started an upload, which is cancelled again. */
export async function mountBlob(
  session: Session,
  path: string,
  digest: string,
  from: string,
): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from });
  const call: Call = {
    method: "POST",
    target: `/v2/${path}/blobs/uploads/?${query}`,
    scope: { path, push: true, from },
    what: `take a blob of ${from} over to ${path}`,
  };
  const answer = await session.call(call);
  if (answer.status === 201) return true;
  if (answer.status === 202) await cancelUpload(session, path, answer);
  else if (answer.status === 404 || answer.status >= 500) throw session.refused(answer, call);
  // Other answers: this registry does not mount; the upload will tell what else may be wrong.
  return false;
}

/** See RegistryClient.proveUpload. */
export async function proveUpload(session: Session, path: string): Promise<void> {
  const start = startCall(path);
  const answer = await session.call(start);
  if (answer.status !== 202) throw session.refused(answer, start);
  await cancelUpload(session, path, answer);
}

/** See RegistryClient.uploadBlob: a try is a whole upload, since nobody knows where a broken one stands. */
export async function uploadBlob(session: Session, path: string, blob: BlobSource): Promise<void> {
  const what = `take a blob of ${path} (${blob.digest.slice(0, 19)}, ${blob.size} bytes)`;
  let whole = true;
  await session.repeat(what, async (tried) => {
    // A try whose answer was lost may have stored it.
    if (tried > 1 && (await hasBlob(session, path, blob.digest))) return true;
    const started = await session.once(startCall(path));
    if (started instanceof Transient) return started;
    if (started.status !== 202) throw session.refused(started, startCall(path));
    const send = async (): Promise<Answer | Transient> => {
      const result = await (whole ? sendWhole : sendChunks)(session, path, blob, started);
      if (result instanceof Transient || result.status !== 413 || !whole || blob.size <= CHUNK) return result;
      whole = false;
      return sendAgainInChunks(session, path, blob, started);
    };
    const result = await send().catch(async (error: unknown) => {
      // A cancel: the registry need not keep the half of a blob.
      await cancelUpload(session.under(AbortSignal.timeout(FAREWELL_MS)), path, started);
      throw error;
    });
    if (result instanceof Transient) {
      await cancelUpload(session, path, started);
      return result;
    }
    if (result.status !== 201) throw session.refused(result, startCall(path));
    return true;
  });
}

async function sendAgainInChunks(session: Session, path: string, blob: BlobSource, before: Answer) {
  await cancelUpload(session, path, before);
  const started = await session.once(startCall(path));
  if (started instanceof Transient) return started;
  return started.status === 202 ? sendChunks(session, path, blob, started) : started;
}

/** POST was before; PUT with all bytes. */
async function sendWhole(session: Session, path: string, blob: BlobSource, started: Answer) {
  return session.once(finishCall(session, path, blob, started, blob));
}

/** PATCH by PATCH, then a PUT without bytes. */
async function sendChunks(session: Session, path: string, blob: BlobSource, started: Answer) {
  const size = Math.max(CHUNK, Number(started.headers["oci-chunk-min-length"] ?? 0) || 0);
  let current = started;
  let offset = 0;
  for await (const chunk of chunksOf(blob.open(), size)) {
    const answer = await session.once({
      method: "PATCH",
      target: locationOf(session, current),
      scope: { path, push: true },
      what: `take a part of a blob of ${path}`,
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `${offset}-${offset + chunk.length - 1}`,
      },
      body: chunk,
    });
    if (answer instanceof Transient || answer.status < 200 || answer.status > 299) return answer;
    current = answer;
    offset += chunk.length;
  }
  return session.once(finishCall(session, path, blob, current));
}

async function* chunksOf(source: Readable, size: number): AsyncGenerator<Buffer> {
  let kept: Buffer[] = [];
  let length = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    kept.push(chunk);
    length += chunk.length;
    if (length < size) continue;
    yield Buffer.concat(kept);
    kept = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(kept);
}

function startCall(path: string): Call {
  const target = `/v2/${path}/blobs/uploads/`;
  return { method: "POST", target, scope: { path, push: true }, what: `start an upload to ${path}` };
}

function finishCall(
  session: Session,
  path: string,
  blob: BlobSource,
  started: Answer,
  body?: RequestBody,
): Call {
  const url = new URL(locationOf(session, started));
  url.searchParams.set("digest", blob.digest);
  return {
    method: "PUT",
    target: url.href,
    scope: { path, push: true },
    what: `store a blob of ${path}`,
    slow: true,
    headers: { "content-type": "application/octet-stream" },
    ...(body === undefined ? {} : { body }),
  };
}

function blobCall(method: "GET" | "HEAD", path: string, digest: string, push: boolean): Call {
  return {
    method,
    target: `/v2/${path}/blobs/${digest}`,
    scope: { path, push },
    what: `read a blob of ${path}`,
  };
}

function locationOf(session: Session, answer: Answer): string {
  return session.resolve(answer.headers["location"] ?? "").href;
}

/** Best effort: what cannot be cancelled is forgotten by the registry by itself, after a week or so. */
async function cancelUpload(session: Session, path: string, started: Answer): Promise<void> {
  if (!started.headers["location"]) return;
  const call: Call = {
    method: "DELETE",
    target: locationOf(session, started),
    scope: { path, push: true },
    what: `cancel an upload to ${path}`,
  };
  await session.once(call).catch(() => {});
}
