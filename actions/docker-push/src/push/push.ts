import type { PushedTag, PushJob, PushPorts, PushResult } from "./model.ts";
import { moveTags } from "./move-tags.ts";
import { attachEverywhere, isAttachedEverywhere } from "./referrers.ts";
import { storeEverywhere } from "./store.ts";
import { planMoves, readTags, type TagState } from "./tag-plan.ts";
import { checkPlatforms, verifyEverywhere } from "./verify.ts";

/**
 * Pushes: blobs, then manifests by digest in every registry, then proof by
 * reading them back, then documents about them, and only then tags, immutable
 * ones first. When every tag names the digest already and its documents are
 * there, nothing is sent (`unchanged`). Throws a `Failure` with no tag moved, or with all moved tags
 * put back and the rest told.
 */
export async function push(job: PushJob, ports: PushPorts): Promise<PushResult> {
  await checkPlatforms(job.images);
  const states = await readTags(job, ports);
  const moves = planMoves(states, job.root.digest, job.overwrite);
  const { digest } = job.root;
  const done = { digest, tags: states.map((state) => doneTo(state, digest)) };
  if (states.length > 0 && moves.length === 0 && (await isAttachedEverywhere(job, ports))) {
    ports.log.info(`every tag names ${digest} already: nothing to push`);
    return { ...done, outcome: "unchanged", attached: [], uploadedBytes: 0 };
  }
  const uploadedBytes = await storeEverywhere(job, ports);
  await verifyEverywhere(job, ports);
  const attached = await attachEverywhere(job, ports);
  await moveTags(moves, job.root, ports);
  return { ...done, outcome: "succeeded", attached, uploadedBytes };
}

function doneTo({ repository, tag, before }: TagState, digest: string): PushedTag {
  const action = before === "" ? "created" : before === digest ? "unchanged" : "moved";
  const { name, registry, path } = repository;
  return { image: name, registry, repository: path, tag, digest, action, before };
}
