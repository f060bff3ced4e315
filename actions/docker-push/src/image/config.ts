import { createHash } from "node:crypto";
import type { HistoryStep, ImageConfig, Platform } from "./model.ts";

/** Keys of a config that tell of the machine and the moment of the build, and that nothing reads when the image runs. */
const TRACES = ["container", "container_config", "docker_version", "id", "parent", "throwaway"] as const;

/** The same inside the run-time part: all are false or empty in a built image, or name a parent's passing id. */
const INNER_TRACES = [
  "Hostname",
  "Domainname",
  "AttachStdin",
  "AttachStdout",
  "AttachStderr",
  "Tty",
  "OpenStdin",
  "StdinOnce",
  "Image",
] as const;

/**
 * The config as it is pushed: layers as they became, labels added, and, with a
 * commit time (seconds), no moment later than it, the last `ownSteps` at it, and
 * no trace of the builder.
 */
export function finalConfig(
  config: ImageConfig,
  diffIds: readonly string[],
  labels: ReadonlyMap<string, string>,
  commitTime: number | undefined,
  ownSteps = 0,
): ImageConfig {
  const merged: Record<string, string> = { ...(config.config?.Labels ?? {}), ...Object.fromEntries(labels) };
  // The builder's version: another one would be another image.
  if (commitTime !== undefined) delete merged["io.buildah.version"];
  const { Labels: _, ...others } = config.config ?? {};
  const inner = { ...others, ...(Object.keys(merged).length > 0 ? { Labels: sorted(merged) } : {}) };
  const next = { ...config, config: inner, rootfs: { type: "layers", diff_ids: diffIds } };
  if (commitTime === undefined) return next;
  const clean: Record<string, unknown> = { ...next, config: without(inner, INNER_TRACES) };
  for (const key of TRACES) delete clean[key];
  clean["created"] = rfc3339(commitTime);
  if (config.history) {
    const firstOwn = config.history.length - ownSteps;
    clean["history"] = config.history.map((step, index) => clampStep(step, commitTime, index >= firstOwn));
  }
  return sorted(clean) as unknown as ImageConfig;
}

/** The bytes of a config and their digest, the image id. */
export function encodeConfig(config: ImageConfig): { readonly bytes: Buffer; readonly digest: string } {
  const bytes = Buffer.from(JSON.stringify(config));
  return { bytes, digest: sha256(bytes) };
}

/** `sha256:` and the hex digest of the bytes. */
export function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The platform that a config names; Linux on amd64 when it is silent, as engines take it. */
export function platformOf(config: ImageConfig): Platform {
  const { os = "linux", architecture = "amd64", variant } = config;
  return { os, architecture, ...(variant ? { variant } : {}) };
}

/**
 * The build step of each layer, shortened to a line; empty where the history
 * does not fit the layers. A step for which `hides` is true is not shown.
 */
export function commandsOf(config: ImageConfig, hides: (text: string) => boolean): string[] {
  const layers = config.rootfs.diff_ids.length;
  const steps = (config.history ?? []).filter((step) => step.empty_layer !== true);
  if (steps.length !== layers) return Array.from({ length: layers }, () => "");
  return steps
    .map((step) => step.created_by ?? step.comment ?? "")
    .map((text) => (hides(text) ? "a step that holds a secret" : shortCommand(text)));
}

function shortCommand(text: string): string {
  const line = text
    .replace(/^\/bin\/sh -c #\(nop\)\s+/, "")
    .replace(/\s+# buildkit$/, "")
    // The checksum of what is copied says nothing to a reader.
    .replace(/\b(?:file|dir|multi):[0-9a-f]{64} in /, "")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

function clampStep(step: HistoryStep, commitTime: number, isOwn: boolean): HistoryStep {
  const then = Date.parse(step.created ?? "");
  const { comment, ...rest } = step;
  // buildah notes the id of the image before, which differs from build to build.
  const clean = comment === undefined || /^FROM [0-9a-f]{12}$/.test(comment) ? rest : { ...rest, comment };
  // A step without a time, or with one that cannot be read, is as old as the commit; one from the cache too.
  if (isOwn || Number.isNaN(then) || then > commitTime * 1000)
    return { ...clean, created: rfc3339(commitTime) };
  return clean;
}

function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

function without(
  object: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** Keys in one order, so that an engine's own order is not in the digest. */
function sorted<T>(object: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
