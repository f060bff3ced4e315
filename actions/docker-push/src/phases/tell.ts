import type { RunContext } from "../../../../lib/action.ts";
import { formatDuration } from "../../../../lib/clock.ts";
import { codeBlock, escapeMarkdown, table } from "../../../../lib/summary.ts";
import type { Built } from "../engine/engine.ts";
import type { Verdict } from "../gates/vulnerabilities.ts";
import { type PreparedImage, type PushableImage, platformText } from "../image/model.ts";
import type { Inputs } from "../inputs/model.ts";
import { metadataOf, type Plan } from "../plan/plan.ts";
import type { PushedTag, PushResult } from "../push/model.ts";
import { formatSize } from "../sizes.ts";
import { type Formers, formerSize } from "./former.ts";

type Ports = Pick<RunContext, "draft" | "log" | "mask">;

/** What is known once the image is made, before anything is compressed. */
export function tellPrepared(images: readonly PreparedImage[], built: Built, { draft, log }: Ports): void {
  const sum = images.reduce((total, image) => total + image.sizeUncompressed, 0);
  for (const image of images)
    log.info(
      `${platformText(image.platform)}: ${image.layers.length} layers, ${image.secrets.length} secrets found`,
    );
  draft.output("imageid", images[0]?.configDigest ?? "");
  draft.output("config-digest", images[0]?.configDigest ?? "");
  draft.output("size-uncompressed", sum);
  if (built.steps > 0) {
    draft.output("cache-hit-ratio", (built.cachedSteps / built.steps).toFixed(2));
    log.info(`${built.cachedSteps} of ${built.steps} steps came from the cache`);
  }
  draft.set("imageId", images[0]?.configDigest ?? "");
  draft.set("sizeUncompressed", sum);
}

/** Sizes and layers of the compressed image. */
export function tellSizes(images: readonly PushableImage[], formers: Formers, { draft, log }: Ports): void {
  const sum = images.reduce((total, image) => total + image.sizeCompressed, 0);
  const layers = images.flatMap((image) =>
    image.layers.map(({ digest, size, plainSize, wasted, command }) => ({
      platform: platformText(image.platform),
      digest,
      size,
      sizeUncompressed: plainSize,
      wasted,
      command,
    })),
  );
  draft.output("size-compressed", sum);
  draft.output("layers", JSON.stringify(layers));
  draft.set("sizeCompressed", sum);
  draft.set("layers", layers);
  draft.summary += sizeTable(images, formers);
  for (const image of images)
    log.info(
      `${platformText(image.platform)}: ${formatSize(image.sizeCompressed)} compressed (${image.sizeCompressed} bytes)`,
    );
}

function sizeTable(images: readonly PushableImage[], formers: Formers): string {
  const rows = images.map((image) => {
    const former = formerSize(image, formers.moving ?? formers.same);
    const delta = former ? image.sizeCompressed - former.bytes : undefined;
    return [
      platformText(image.platform),
      formatSize(image.sizeCompressed),
      formatSize(image.sizeUncompressed),
      delta === undefined ? "" : `${delta >= 0 ? "+" : "-"}${formatSize(Math.abs(delta))}`,
    ];
  });
  const layers = images.flatMap((image) =>
    image.layers.map(({ size, plainSize, wasted, command }) => [
      platformText(image.platform),
      formatSize(size),
      formatSize(plainSize),
      wasted > 0 ? formatSize(wasted) : "",
      escapeMarkdown(command.slice(0, 100)),
    ]),
  );
  const head = ["platform", "compressed", "uncompressed"];
  return `\n${table([...head, "against before"], rows)}\n<details><summary>Layers</summary>\n\n${table([...head, "wasted", "made by"], layers.slice(0, 100))}\n</details>\n`;
}

/** What the scanner found. */
export function tellFindings(verdicts: readonly Verdict[], { draft }: Ports): void {
  if (verdicts.length === 0) return;
  draft.set(
    "findings",
    verdicts.map(({ format, counts, ignored }) => ({ format, counts, ignored })),
  );
  for (const { format, counts, ignored } of verdicts) {
    const text = Object.entries(counts)
      .reverse()
      .map(([severity, count]) => `${count} ${severity}`)
      .join(", ");
    draft.summary += `\nFindings (${format}): ${text}; ${ignored} ignored\n`;
  }
}

/** The proven push: outputs, subjects and the line that pulls it. */
export function tellPushed(result: PushResult, inputs: Inputs, plan: Plan, { draft }: Ports): void {
  const [first] = inputs.registry.images;
  const image = `${first?.name ?? ""}@${result.digest}`;
  const pushed = result.tags.map(({ registry, repository, tag, digest, action, before }) => ({
    registry,
    repository,
    tag,
    digest,
    before,
    action,
  }));
  draft.output("digest", result.digest);
  draft.output("image", image);
  draft.output("pushed", JSON.stringify(pushed));
  draft.output(
    "metadata",
    JSON.stringify({
      ...metadataOf(plan, inputs),
      "containerimage.digest": result.digest,
      "containerimage.config.digest": draft.outputs.get("config-digest") ?? "",
      "image.name": plan.names.join(","),
    }),
  );
  draft.set("digest", result.digest);
  draft.set("image", image);
  draft.set("pushed", pushed);
  draft.set("attached", result.attached);
  draft.set("uploadedBytes", result.uploadedBytes);
  for (const { name } of inputs.registry.images) draft.made({ type: "image", name, digest: result.digest });
  draft.summary = `${pushedTable(result.tags, image)}${draft.summary}`;
}

function pushedTable(tags: readonly PushedTag[], image: string): string {
  const rows = tags.map(({ image: name, tag, action }) => [escapeMarkdown(`${name}:${tag}`), action]);
  return `\n${table(["tag", ""], rows)}\n${codeBlock(`docker pull ${image}`, "sh")}`;
}

/** What a run would do. */
export function tellPlanned(plan: Plan, inputs: Inputs, { draft, log }: Ports): "planned" {
  const wanted =
    inputs.build.engine === "auto" ? "an engine that is found to be able to" : inputs.build.engine;
  const made = inputs.source.kind === "build" ? `built by ${wanted}` : `taken from \`${inputs.source.kind}\``;
  const goes = inputs.push ? "pushed" : "not pushed (`push` is `false`)";
  log.info(`the image would be ${made}, gated and ${goes}`);
  const rows = inputs.registry.images.flatMap(({ name }) =>
    plan.tags.tags.map(({ tag, kind }) => [escapeMarkdown(`${name}:${tag}`), kind]),
  );
  draft.summary += `\nWould be ${escapeMarkdown(made)}, gated and ${escapeMarkdown(goes)}:\n\n${table(["tag", "kind"], rows)}`;
  return "planned";
}

/** Why nothing was pushed, for a reader who expected it. */
export function tellKept(why: string, digest: string, inputs: Inputs, { draft, log }: Ports): void {
  for (const { name } of inputs.registry.images) draft.made({ type: "image", name, digest });
  log.annotate({ level: "notice", title: "docker-push", message: `built and gated, not pushed: ${why}` });
  draft.set("notPushed", why);
  draft.summary = `\nBuilt and gated, not pushed: ${escapeMarkdown(why)}\n${draft.summary}`;
}

/** How long each phase took. */
export function tellPhases({ draft }: Ports): void {
  const rows = draft.phases.map(({ name, ms }) => [name, formatDuration(ms)]);
  draft.summary += `\n<details><summary>Phases</summary>\n\n${table(["phase", "time"], rows)}\n</details>\n`;
}

/** The runner drops a job output that holds a masked value: said here, it need not be searched for. */
export function warnOfMasked({ draft, mask, log }: Ports): void {
  const hit = [...draft.outputs]
    .filter(([, value]) => mask.redact(value) !== value)
    .map(([name]) => `\`${name}\``);
  if (hit.length === 0) return;
  log.warn(
    `a secret of this step is part of ${hit.join(", ")}: masked there, and the runner passes such an output to no other job; use another secret, or \`digest\` and \`version\` alone`,
  );
}
