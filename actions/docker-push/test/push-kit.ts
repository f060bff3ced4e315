import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { RecordingLog } from "../../../lib/log.ts";
import { FakeClock } from "../../../lib/testing/fake-clock.ts";
import type { PushImage, PushJob, PushPorts } from "../src/push/model.ts";
import type { TagMoves } from "../src/push/undo.ts";
import type { Credentials } from "../src/registry/authorizer.ts";
import type { BlobSource, ManifestDocument, RegistryClient } from "../src/registry/client.ts";
import { type ClientOptions, openRegistry } from "../src/registry/http-client.ts";
import { digestOf } from "../src/registry/manifests.ts";
import { parseRepository, type Repository } from "../src/registry/names.ts";
import type { PlannedTag } from "../src/tags/plan.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** A blob of this text. */
export function blobOf(text: string | Buffer): BlobSource {
  const bytes = Buffer.from(text);
  return { digest: digestOf(bytes), size: bytes.length, open: () => Readable.from([bytes]) };
}

export function documentOf(value: unknown, mediaType = MANIFEST): ManifestDocument {
  const bytes = Buffer.from(JSON.stringify(value));
  return { mediaType, digest: digestOf(bytes), bytes };
}

/** An image of one layer per text; the same texts give the same digests. */
export function imageOf(layers: readonly string[], architecture = "amd64"): PushImage {
  const config = blobOf(
    JSON.stringify({
      os: "linux",
      architecture,
      config: {},
      rootfs: { type: "layers", diff_ids: layers.map((text) => digestOf(Buffer.from(text))) },
    }),
  );
  const blobs = layers.map((text) => blobOf(gzipSync(text)));
  const manifest = documentOf({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: config.digest,
      size: config.size,
    },
    layers: blobs.map(({ digest, size }) => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      digest,
      size,
    })),
  });
  return { platform: { os: "linux", architecture }, manifest, config, layers: blobs };
}

export function repositoryOf(name: string): Repository {
  const parsed = parseRepository(name);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.repository;
}

/** Tags in order; those with a `!` are immutable. */
export function tagsOf(...texts: string[]): PlannedTag[] {
  return texts.map((text, order) => ({
    tag: text.replace("!", ""),
    kind: text.endsWith("!") ? "immutable" : "moving",
    order,
  }));
}

export function jobOf(
  image: PushImage,
  names: readonly string[],
  tags: readonly PlannedTag[],
  more: Partial<PushJob> = {},
): PushJob {
  const [first, ...rest] = names.map(repositoryOf);
  if (!first) throw new Error("no repository");
  return {
    repositories: [first, ...rest],
    root: image.manifest,
    images: [image],
    tags,
    overwrite: "moving",
    attachments: [],
    ...more,
  };
}

export function loginOf(registry: { readonly username: string; readonly password: string }): Credentials {
  return { kind: "password", username: registry.username, password: registry.password };
}

/** A client in virtual time: waits cost nothing, and what was waited for stands in the clock. */
export function clientFor(
  registry: Pick<Repository, "registry" | "origin">,
  credentials: Credentials | undefined,
  more: Partial<ClientOptions> = {},
): RegistryClient {
  return openRegistry({
    registry,
    credentials,
    log: new RecordingLog(),
    clock: new FakeClock(undefined, true),
    signal: new AbortController().signal,
    env: {},
    mask: () => {},
    random: () => 0.5,
    idleMs: 400,
    ...more,
  });
}

/** Ports of a push in virtual time, and what it left behind. */
export interface TestPorts extends PushPorts {
  readonly log: RecordingLog;
  /** Every state that was saved, in order. */
  readonly saved: (TagMoves | undefined)[];
  readonly controller: AbortController;
  close(): void;
}

export function portsFor(credentials: Credentials | undefined): TestPorts {
  const clients = new Map<string, RegistryClient>();
  const log = new RecordingLog();
  const clock = new FakeClock(undefined, true);
  const controller = new AbortController();
  const saved: (TagMoves | undefined)[] = [];
  return {
    log,
    clock,
    controller,
    saved,
    signal: controller.signal,
    saveMoves: (moves) => void saved.push(moves),
    client: (repository) => {
      const known = clients.get(repository.origin);
      if (known) return known;
      const made = clientFor(repository, credentials, { log, clock, signal: controller.signal });
      clients.set(repository.origin, made);
      return made;
    },
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}
