import { RemoteError } from "../../../../lib/errors.ts";
import type { Repository } from "../registry/names.ts";
import type { PushJob, PushPorts } from "./model.ts";

/**
 * Proves that every repository serves the root, byte for byte, and every
 * child of an index; before any tag names it. Throws DIGEST_MISMATCH.
 */
export async function verifyEverywhere(job: PushJob, ports: PushPorts): Promise<void> {
  for (const repository of job.repositories) {
    await expectManifest(repository, job.root.digest, ports);
    for (const { manifest } of job.images) {
      if (manifest.digest !== job.root.digest) await expectManifest(repository, manifest.digest, ports);
    }
    ports.log.info(`${repository.name}: serves ${job.root.digest}, verified by its bytes`);
  }
}

async function expectManifest(repository: Repository, digest: string, ports: PushPorts): Promise<void> {
  // The client compares the bytes with the digest; what is left to see is whether there are any.
  const found = await ports.client(repository).getManifest(repository.path, digest);
  if (found) return;
  throw new RemoteError(`${repository.name} took ${digest} and does not serve it`, {
    code: "DIGEST_MISMATCH",
    fix: "run again; if it stays, the registry loses what it stores",
  });
}

/** Each image's config must say the platform that the index says; throws BAD_IMAGE before anything is sent. */
export async function checkPlatforms(images: PushJob["images"]): Promise<void> {
  for (const { platform, config } of images) {
    const chunks: Buffer[] = [];
    for await (const chunk of config.open() as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    const said = JSON.parse(text) as { architecture?: unknown; os?: unknown };
    if (said.architecture === platform.architecture && said.os === platform.os) continue;
    const wanted = `${platform.os}/${platform.architecture}`;
    throw new RemoteError(`the image for ${wanted} was built for ${said.os}/${said.architecture}`, {
      code: "BUILD_FAILED",
      fix: "check `FROM --platform` in the Dockerfile: it must follow the platform that is built",
    });
  }
}
