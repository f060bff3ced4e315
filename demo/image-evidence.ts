import { createHash } from "node:crypto";
import { ALL_MANIFEST_TYPES, type TestRegistry } from "../lib/testing/registry.ts";
import type { ActEvent } from "./act.ts";
import { IMAGE_STAGES, type ImageEvidence } from "./image-stages.ts";

const REPOSITORY = "team/shop";

/** What the run said of one job, and what the registry held when it began. */
export interface Seen {
  startedAt: number;
  endedAt: number;
  readonly outputs: Map<string, string>;
  readonly accessFrom: number;
  readonly before: Promise<ReadonlyMap<string, string>>;
}

/** Keeps what an event of the run says of its job. */
export function note(
  event: ActEvent,
  seen: Map<string, Seen>,
  registry: TestRegistry,
  say: (text: string) => void,
): void {
  const { job = "" } = event;
  if (event.jobResult) say(`${job}: ${event.jobResult}`);
  if (!IMAGE_STAGES.some((stage) => stage.job === job)) return;
  const now = Date.now();
  const own = seen.get(job) ?? {
    ...{ startedAt: now, endedAt: now, outputs: new Map<string, string>() },
    ...{ accessFrom: registry.accessLog().length, before: tagsOf(registry) },
  };
  seen.set(job, own);
  own.endedAt = now;
  if (event.command === "set-output" && event.stepID?.at(-1) === "push" && event.name) {
    own.outputs.set(event.name, event.arg ?? "");
  }
}

/** What every tag in the registry names. */
export async function tagsOf(registry: TestRegistry): Promise<ReadonlyMap<string, string>> {
  const answer = await registry.fetch(`/v2/${REPOSITORY}/tags/list`);
  const list = answer.ok ? ((await answer.json()) as { tags: string[] | null }) : { tags: [] };
  const tags = list.tags ?? [];
  const digests = await Promise.all(tags.map((tag) => registry.digestOf(REPOSITORY, tag)));
  return new Map(tags.map((tag, index) => [tag, digests[index] ?? ""]));
}

/** What is held against a job's promise: its outputs, and what the registry itself saw and holds. */
export async function gather(
  own: Seen | undefined,
  until: { access: number; after: ReadonlyMap<string, string> },
  registry: TestRegistry,
): Promise<ImageEvidence> {
  const output = (name: string) => own?.outputs.get(name) ?? "";
  const digest = output("digest");
  const code = output("failure-code");
  // What the demo itself asks is among the lines too, but it only reads.
  const access = registry.accessLog().slice(own?.accessFrom ?? 0, until.access);
  return {
    outcome: code === "" ? output("outcome") : `refused: ${code}`,
    reason: output("failure-reason"),
    digest,
    size: Number(output("size-compressed") || 0),
    access,
    before: (await own?.before) ?? new Map(),
    after: until.after,
    manifest: digest === "" ? "" : await manifestDigest(registry, digest),
  };
}

async function manifestDigest(registry: TestRegistry, digest: string): Promise<string> {
  const headers = { accept: ALL_MANIFEST_TYPES };
  const answer = await registry.fetch(`/v2/${REPOSITORY}/manifests/${digest}`, { headers });
  if (!answer.ok) return "";
  return `sha256:${createHash("sha256")
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest("hex")}`;
}
