import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../../lib/errors.ts";
import { query } from "../../../lib/exec.ts";
import { openArtifactStore } from "../../../lib/github/artifacts.ts";
import { sha256File } from "../../../lib/github/digest.ts";
import { packFiles } from "./archive/archive.ts";
import { findFiles } from "./find-files.ts";
import type { Job } from "./job.ts";

/** What was made of `artifact-paths`. */
export interface Artifact {
  readonly name: string;
  readonly path: string;
  readonly digest: string;
  readonly size: number;
  readonly files: number;
  readonly id: string;
  readonly url: string;
}

/** The oldest time that every archive format knows: 1980-01-01. */
const FALLBACK_TIME = 315_532_800;

/** Packs and uploads the artifact; undefined when there is nothing to pack and that is no error. */
export async function makeArtifact(job: Job): Promise<Artifact | undefined> {
  const { artifact: inputs } = job.inputs;
  const { log } = job.context;
  const found = findFiles(job.root, inputs.paths, job.workspace, { links: inputs.archive });
  for (const file of found.outside) log.warn(`artifact: ${file} leads out of the workspace and is left out`);
  const above = found.files.filter((file) => file.startsWith("../"));
  if (above.length > 0) throw outsideOfFolder(above);
  for (const folder of found.closed) log.warn(`artifact: ${folder} may not be read and is left out`);
  if (found.files.length === 0) return ifEmpty(job);
  const packed = inputs.archive ? await pack(job, found.files) : await asTheyAre(job, found.files);
  if (packed.entries === 0) return ifEmpty(job);
  const store = openArtifactStore(job.context);
  const root = inputs.archive ? job.work() : job.root;
  const files = inputs.archive ? [`${inputs.name}.tar.gz`] : found.files;
  const { id, url } = await store.upload(inputs.name, root, files, { retentionDays: inputs.retentionDays });
  const { path, digest, size, entries } = packed;
  const artifact = { path, digest, size, name: inputs.name, files: entries, id, url };
  const where = id === "" ? `kept at ${artifact.path || job.root}` : `uploaded, id ${id}`;
  log.info(
    `artifact ${artifact.name}: ${artifact.files} files, ${artifact.size} bytes, ${artifact.digest || "no digest"}, ${where}`,
  );
  return artifact;
}

type Packed = Pick<Artifact, "path" | "digest" | "size"> & { readonly entries: number };

/** Their names in the artifact would climb out of the folder that it is unpacked in. */
function outsideOfFolder(files: readonly string[]): Failure {
  return new Failure(
    `\`artifact-paths\` matches ${files[0] ?? ""}, which lies outside of \`working-directory\``,
    {
      code: "BAD_INPUT",
      fix: "paths inside the artifact are relative to `working-directory`: choose a folder that holds all of them, or let the build put them there",
      evidence: files.slice(0, 20),
    },
  );
}

async function pack(job: Job, files: readonly string[]): Promise<Packed> {
  const target = join(job.work(), `${job.inputs.artifact.name}.tar.gz`);
  mkdirSync(job.work(), { recursive: true });
  const archive = await packFiles(target, job.root, files, await sourceTime(job), job.context.signal);
  for (const file of archive.leftOut)
    job.context.log.warn(`artifact: the link ${file} leads out of the folder and is left out`);
  return archive;
}

async function asTheyAre(job: Job, files: readonly string[]): Promise<Packed> {
  const size = files.reduce((sum, file) => sum + statSync(join(job.root, file)).size, 0);
  const only = files.length === 1 ? join(job.root, files[0] ?? "") : undefined;
  return { path: only ?? "", digest: only ? await sha256File(only) : "", size, entries: files.length };
}

/** SOURCE_DATE_EPOCH, else the commit's time: the same commit gives the same archive. Seconds. */
async function sourceTime(job: Job): Promise<number> {
  const epoch = job.context.env["SOURCE_DATE_EPOCH"] ?? "";
  if (/^\d+$/.test(epoch)) return Number(epoch);
  const committed = await query(["git", "log", "-1", "--format=%ct"], job.root);
  return committed && /^\d+$/.test(committed) ? Number(committed) : FALLBACK_TIME;
}

function ifEmpty(job: Job): undefined {
  const { ifEmpty: mode, paths } = job.inputs.artifact;
  const message = `\`artifact-paths\` matches no file: ${paths.join(", ")}`;
  if (mode === "error") {
    throw new Failure(message, {
      code: "ARTIFACT_EMPTY",
      fix: "correct the globs (they are relative to `working-directory`), or set `artifact-if-empty` to `warn`",
    });
  }
  if (mode === "warn") job.context.log.warn(message);
  else job.context.log.info(message);
  return undefined;
}
