import { createHash } from "node:crypto";
import { RemoteError } from "../../../../lib/errors.ts";
import { MANIFEST_TYPES, type ManifestDocument, type ManifestHead } from "./client.ts";
import type { Session } from "./session.ts";
import type { Answer } from "./transport.ts";

const ACCEPT = { accept: MANIFEST_TYPES.join(", ") };

/** `sha256:` and the hex digest of these bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Whether a reference is a digest; anything else is a tag. */
export function isDigest(reference: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(reference);
}

/** See RegistryClient.headManifest. A registry that tells no digest at a HEAD is asked for the bytes. */
export async function headManifest(
  session: Session,
  path: string,
  reference: string,
): Promise<ManifestHead | undefined> {
  const call = manifestCall("HEAD", path, reference, "read the manifest");
  const answer = await session.call(call);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw session.refused(answer, call);
  const digest = answer.headers["docker-content-digest"] ?? "";
  if (!isDigest(digest)) return getManifest(session, path, reference);
  if (isDigest(reference)) expectDigest(session, path, reference, digest);
  return { digest, mediaType: typeOf(answer) };
}

/** See RegistryClient.getManifest. */
export async function getManifest(
  session: Session,
  path: string,
  reference: string,
): Promise<ManifestDocument | undefined> {
  const call = manifestCall("GET", path, reference, "read the manifest");
  const answer = await session.call(call);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw session.refused(answer, call);
  const digest = digestOf(answer.body);
  const told = answer.headers["docker-content-digest"];
  if (isDigest(reference)) expectDigest(session, path, reference, digest);
  // What is told about a body is compared with the body too.
  if (told !== undefined && isDigest(told)) expectDigest(session, path, told, digest);
  return { digest, mediaType: typeOf(answer), bytes: answer.body };
}

/** See RegistryClient.putManifest. */
export async function putManifest(
  session: Session,
  path: string,
  reference: string,
  manifest: ManifestDocument,
): Promise<string> {
  const tag = isDigest(reference) ? undefined : reference;
  const call = {
    ...manifestCall("PUT", path, reference, tag === undefined ? "store the manifest" : `set the tag ${tag}`),
    headers: { "content-type": manifest.mediaType },
    body: manifest.bytes,
  };
  const answer = await session.call(call);
  if (answer.status < 200 || answer.status > 299) throw session.refused(answer, call, tag);
  const told = answer.headers["docker-content-digest"];
  const subject = answer.headers["oci-subject"] ?? "";
  if (told !== undefined) {
    expectDigest(session, path, manifest.digest, told);
    return subject;
  }
  // Optional in the specification: where it is missing, the registry is asked.
  const head = await headManifest(session, path, reference);
  if (head === undefined) {
    throw mismatch(session, path, `${reference} was stored and cannot be found`);
  }
  expectDigest(session, path, manifest.digest, head.digest);
  return subject;
}

function manifestCall(method: "GET" | "HEAD" | "PUT", path: string, reference: string, what: string) {
  const target = `/v2/${path}/manifests/${reference}`;
  const scope = { path, push: method === "PUT" };
  return { method, target, scope, what: `${what} of ${path}`, headers: ACCEPT };
}

function typeOf(answer: Answer): string {
  const type = (answer.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  if (type !== "" && type !== "application/json") return type;
  try {
    const body = JSON.parse(answer.body.toString("utf8")) as { mediaType?: unknown };
    return typeof body.mediaType === "string" ? body.mediaType : type;
  } catch {
    return type;
  }
}

function expectDigest(session: Session, path: string, expected: string, actual: string): void {
  if (expected !== actual) throw mismatch(session, path, `expected ${expected}, it answers ${actual}`);
}

function mismatch(session: Session, path: string, words: string): RemoteError {
  const { registry } = session.options;
  return new RemoteError(`${registry}/${path} does not hold what was sent: ${words}`, {
    code: "DIGEST_MISMATCH",
    fix: "run again; if it stays, a proxy or mirror between here and the registry changes content",
  });
}
