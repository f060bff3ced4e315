import type { RunContext } from "../../../../lib/action.ts";
import { PROVENANCE_TYPE, provenanceStatement, SPDX_TYPE, spdxDocument } from "../attest/statements.ts";
import { type PreparedImage, type PushableImage, platformText } from "../image/model.ts";
import type { Inputs } from "../inputs/model.ts";
import { ofLevel } from "../plan/labels.ts";
import type { Plan } from "../plan/plan.ts";
import type { Known } from "../plan/repository.ts";
import { rootOf } from "../push/image-index.ts";
import type { Attachment, PushJob, PushResult } from "../push/model.ts";
import { push } from "../push/push.ts";
import type { ManifestDocument } from "../registry/client.ts";
import type { Registries } from "./registries.ts";

/** The name under which the post step finds tags that are being moved. */
export const MOVES_STATE = "moves";

/** What is sent. */
export interface Parcel {
  readonly prepared: readonly PreparedImage[];
  readonly images: readonly [PushableImage, ...PushableImage[]];
  readonly engine: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** Where it is sent, and under which names. */
export interface Wanted {
  readonly inputs: Inputs;
  readonly known: Known;
  readonly plan: Plan;
  readonly registries: Registries;
}

/** The manifest or index that tags will name. */
export function rootOfImages(
  images: Parcel["images"],
  inputs: Pick<Inputs, "annotations">,
): ManifestDocument {
  return rootOf(images, {
    index: Object.fromEntries(ofLevel(inputs.annotations, "index", "")),
    descriptor: (platform) =>
      Object.fromEntries(ofLevel(inputs.annotations, "manifest-descriptor", platformText(platform))),
  });
}

/** Pushes to every repository, with the documents that were asked for. */
export async function sendImages(
  parcel: Parcel,
  root: ManifestDocument,
  wanted: Wanted,
  context: RunContext,
): Promise<PushResult> {
  const { inputs, known, plan, registries } = wanted;
  const [first, ...others] = inputs.registry.images;
  if (!first) throw new Error("no repository to push to");
  const job: PushJob = {
    repositories: [first, ...others],
    root,
    images: parcel.images,
    tags: plan.tags.tags,
    overwrite: inputs.tags.overwrite,
    attachments: attachmentsOf(parcel, root, inputs, known, context),
  };
  const { log, clock, signal, state } = context;
  return push(job, {
    client: (repository) => registries.client(repository),
    log,
    clock,
    signal,
    saveMoves: (moves) => state.save(MOVES_STATE, moves ?? null),
  });
}

function attachmentsOf(
  parcel: Parcel,
  root: ManifestDocument,
  inputs: Inputs,
  known: Known,
  context: RunContext,
): Attachment[] {
  const name = inputs.registry.images[0]?.name ?? "";
  const attachments: Attachment[] = [];
  if (inputs.sbom) {
    for (const [index, image] of parcel.prepared.entries()) {
      const subject = parcel.images[index]?.manifest.digest ?? root.digest;
      const created = (inputs.reproducible ? known.facts.commitTime : known.facts.now).toISOString();
      const bytes = spdxDocument(image, { name, digest: subject, created });
      attachments.push({ subject, artifactType: SPDX_TYPE, bytes });
    }
  }
  if (inputs.provenance) {
    const bytes = provenanceStatement(factsOf(parcel, root, inputs, known, context));
    attachments.push({ subject: root.digest, artifactType: PROVENANCE_TYPE, bytes });
  }
  return attachments;
}

function factsOf(parcel: Parcel, root: ManifestDocument, inputs: Inputs, known: Known, context: RunContext) {
  const { github, env, clock } = context;
  return {
    subjects: inputs.registry.images.map(({ name }) => ({ name, digest: root.digest })),
    repository: github.repository,
    commit: known.facts.sha,
    ref: known.facts.ref,
    event: github.eventName,
    runner: env["RUNNER_ENVIRONMENT"] ?? "",
    workflow: env["GITHUB_WORKFLOW_REF"] || github.workflow,
    runUrl: github.runUrl,
    runId: github.runId,
    runAttempt: String(github.runAttempt),
    serverUrl: env["GITHUB_SERVER_URL"] || "https://github.com",
    engine: parcel.engine,
    target: inputs.build.target,
    platforms: parcel.images.map(({ platform }) => platformText(platform)),
    buildArgNames: [...inputs.build.args.keys()],
    startedAt: new Date(parcel.startedAt).toISOString(),
    finishedAt: new Date(clock.now()).toISOString(),
  };
}
