import type { Clock } from "../../../../lib/clock.ts";
import type { Log } from "../../../../lib/log.ts";
import { Authorizer, type Credentials } from "./authorizer.ts";
import type { ManifestDocument, RegistryClient } from "./client.ts";
import { digestOf, getManifest, headManifest, putManifest } from "./manifests.ts";
import type { Repository } from "./names.ts";
import type { Env } from "./proxy.ts";
import { Session } from "./session.ts";
import { listTags, listTagsWithin } from "./tag-list.ts";
import { Transport } from "./transport.ts";
import { getBlob, hasBlob, mountBlob, proveUpload, uploadBlob } from "./uploads.ts";

/** What a client is made of. */
export interface ClientOptions {
  readonly registry: Pick<Repository, "registry" | "origin">;
  readonly credentials: Credentials | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** For the proxy variables only. */
  readonly env: Env;
  /** Told every token before its first use. */
  readonly mask: (secret: string) => void;
  /** Numbers in [0, 1), for the jitter (default Math.random). */
  readonly random?: () => number;
  /** A connection on which nothing moves that long counts as broken, milliseconds (default 30 s). */
  readonly idleMs?: number;
}

const IDLE_MS = 30_000;

/** A client of one registry; nothing is sent before its first method is called. */
export function openRegistry(options: ClientOptions): RegistryClient {
  const transport = new Transport(options.env, options.idleMs ?? IDLE_MS);
  const retry = { clock: options.clock, random: options.random ?? Math.random, log: options.log };
  const { registry, origin } = options.registry;
  const { credentials, mask } = options;
  const authorizer = new Authorizer({ registry, origin, credentials, transport, retry, mask });
  const session = { registry, origin, transport, authorizer, retry };
  const over = (signal: AbortSignal) => clientOver(new Session({ ...session, signal }), over);
  return over(options.signal);
}

function clientOver(session: Session, again: (signal: AbortSignal) => RegistryClient): RegistryClient {
  const { transport } = session.options;
  return {
    headManifest: (path, reference) => headManifest(session, path, reference),
    getManifest: (path, reference) => getManifest(session, path, reference),
    putManifest: (path, reference, manifest) => putManifest(session, path, reference, manifest),
    hasBlob: (path, digest) => hasBlob(session, path, digest),
    getBlob: (path, digest) => getBlob(session, path, digest),
    mountBlob: (path, digest, from) => mountBlob(session, path, digest, from),
    uploadBlob: (path, blob) => uploadBlob(session, path, blob),
    proveUpload: (path) => proveUpload(session, path),
    listTags: (path) => listTags(session, path),
    listTagsWithin: (path, pages) => listTagsWithin(session, path, pages),
    referrers: (path, digest) => referrers(session, path, digest),
    get requests() {
      return transport.requests;
    },
    withSignal: again,
    close: () => transport.close(),
  };
}

/** See RegistryClient.referrers: 404 and 405 say that the API is missing; another refusal is a failure, not "none". */
async function referrers(
  session: Session,
  path: string,
  digest: string,
): Promise<ManifestDocument | undefined> {
  const call = {
    method: "GET",
    target: `/v2/${path}/referrers/${digest}`,
    scope: { path, push: false },
    what: `list what is attached in ${path}`,
    headers: { accept: "application/vnd.oci.image.index.v1+json" },
  } as const;
  const answer = await session.call(call);
  if (answer.status === 404 || answer.status === 405) return undefined;
  if (answer.status !== 200) throw session.refused(answer, call);
  const mediaType = (answer.headers["content-type"] ?? "").split(";")[0] ?? "";
  // Some answer with a web page: that is no API either.
  if (!mediaType.includes("json")) return undefined;
  return { mediaType, digest: digestOf(answer.body), bytes: answer.body };
}
