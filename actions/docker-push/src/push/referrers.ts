import { Readable } from "node:stream";
import { RemoteError } from "../../../../lib/errors.ts";
import type { BlobSource, ManifestDocument, RegistryClient } from "../registry/client.ts";
import { digestOf } from "../registry/manifests.ts";
import type { Repository } from "../registry/names.ts";
import type { Attachment, PushJob, PushPorts, PushResult } from "./model.ts";
import { storeBlobs } from "./store.ts";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
const EMPTY_TYPE = "application/vnd.oci.empty.v1+json";

/** Two runs may write the list of one digest at the same time; so often is it written anew. */
const LIST_TRIES = 4;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Stores documents about images as artifacts that refer to them. Where the
 * registry lists referrers itself that is all; where it does not, the list is
 * kept by us under the tag `sha256-<hex>`, as the specification says.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests-with-subject
 */
export async function attachEverywhere(job: PushJob, ports: PushPorts): Promise<PushResult["attached"]> {
  const attached: { image: string; subject: string; digest: string }[] = [];
  for (const repository of job.repositories) {
    for (const attachment of job.attachments) {
      const digest = await attach(job, repository, attachment, ports);
      attached.push({ image: repository.name, subject: attachment.subject, digest });
    }
  }
  return attached;
}

/**
 * Whether every repository has a document of each wanted kind for each subject:
 * an image that was pushed before `sbom` or `provenance` was asked for has none.
 */
export async function isAttachedEverywhere(job: PushJob, ports: PushPorts): Promise<boolean> {
  for (const repository of job.repositories) {
    const client = ports.client(repository);
    for (const subject of new Set(job.attachments.map((attachment) => attachment.subject))) {
      const wanted = job.attachments.filter((attachment) => attachment.subject === subject);
      const lacks = (list: ManifestDocument | undefined) => {
        const kinds = list ? entriesOf(list).map((entry) => entry.artifactType) : [];
        return wanted.some(({ artifactType }) => !kinds.includes(artifactType));
      };
      if (!lacks(await client.referrers(repository.path, subject))) continue;
      if (lacks(await client.getManifest(repository.path, subject.replace(":", "-")))) return false;
    }
  }
  return true;
}

async function attach(job: PushJob, repository: Repository, attachment: Attachment, ports: PushPorts) {
  const client = ports.client(repository);
  const { path, name } = repository;
  const subject = subjectOf(job, attachment.subject);
  const document = blobOf(attachment.bytes);
  const empty = blobOf(Buffer.from("{}"));
  const manifest = artifactOf(attachment, subject, document, empty);
  await storeBlobs(client, path, [document, empty], undefined, ports.signal);
  const told = await client.putManifest(path, manifest.digest, manifest);
  const listed = told === subject.digest || (await isListed(client, path, subject.digest, manifest.digest));
  if (!listed) await addToList(client, path, subject.digest, descriptorOf(manifest, attachment));
  ports.log.info(
    `${name}: attached ${attachment.artifactType} ${manifest.digest}${listed ? "" : " (listed under a tag: the registry has no referrers API)"}`,
  );
  return manifest.digest;
}

function subjectOf(job: PushJob, digest: string): ManifestDocument {
  const found = [job.root, ...job.images.map((image) => image.manifest)].find(
    (item) => item.digest === digest,
  );
  if (!found) throw new Error(`nothing that is pushed has the digest ${digest}`);
  return found;
}

function blobOf(bytes: Buffer): BlobSource {
  return { digest: digestOf(bytes), size: bytes.length, open: () => Readable.from([bytes]) };
}

/** https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage */
function artifactOf(
  attachment: Attachment,
  subject: ManifestDocument,
  document: BlobSource,
  empty: BlobSource,
): ManifestDocument {
  const { artifactType, annotations } = attachment;
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType,
      config: { mediaType: EMPTY_TYPE, digest: empty.digest, size: empty.size },
      layers: [{ mediaType: artifactType, digest: document.digest, size: document.size }],
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.bytes.length },
      ...(annotations ? { annotations } : {}),
    }),
  );
  return { mediaType: MANIFEST_TYPE, digest: digestOf(bytes), bytes };
}

function descriptorOf(manifest: ManifestDocument, { artifactType, annotations }: Attachment): Descriptor {
  const { mediaType, digest, bytes } = manifest;
  return { mediaType, digest, size: bytes.length, artifactType, ...(annotations ? { annotations } : {}) };
}

async function isListed(
  client: RegistryClient,
  path: string,
  subject: string,
  digest: string,
): Promise<boolean> {
  const list = await client.referrers(path, subject);
  return list !== undefined && entriesOf(list).some((entry) => entry.digest === digest);
}

/** Read, add, write, read again: there is no lock, so what another run has overwritten is written anew. */
async function addToList(
  client: RegistryClient,
  path: string,
  subject: string,
  entry: Descriptor,
): Promise<void> {
  const tag = subject.replace(":", "-");
  for (let tried = 1; tried <= LIST_TRIES; tried++) {
    const list = await client.getManifest(path, tag);
    if (list && list.mediaType !== INDEX_TYPE) {
      throw listFailure(`${tag} of ${path} holds something else than a list (${list.mediaType})`);
    }
    const entries = list ? entriesOf(list) : [];
    if (entries.some(({ digest }) => digest === entry.digest)) return;
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [...entries, entry] }),
    );
    await client.putManifest(path, tag, { mediaType: INDEX_TYPE, digest: digestOf(bytes), bytes });
  }
  const last = await client.getManifest(path, tag);
  if (last && entriesOf(last).some(({ digest }) => digest === entry.digest)) return;
  throw listFailure(`${tag} of ${path} was overwritten by others ${LIST_TRIES} times`);
}

function listFailure(message: string): RemoteError {
  return new RemoteError(`the list of attached documents could not be written: ${message}`, {
    code: "PUSH_REFUSED",
    fix: "run again when no other run pushes the same image, or look at what that tag holds",
  });
}

function entriesOf(list: ManifestDocument): Descriptor[] {
  const parsed = JSON.parse(list.bytes.toString("utf8")) as { manifests?: unknown };
  return Array.isArray(parsed.manifests) ? (parsed.manifests as Descriptor[]) : [];
}
