import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GitHubContext } from "./github-context.ts";

/** Something that the run used or made; reports link into a chain by these digests. */
export interface Material {
  readonly type: "commit" | "artifact" | "image" | "task-definition" | "release" | "manifest-set";
  readonly name: string;
  /** `sha256:<hex>`, or "" where the thing has none. */
  readonly digest: string;
}

/** One phase as it went. */
export interface Phase {
  readonly name: string;
  readonly ms: number;
  readonly outcome: "succeeded" | "failed";
}

/** The report file, schema `goci/report/v1` (docs/report.schema.json). */
export interface Report {
  readonly schema: "goci/report/v1";
  readonly action: string;
  readonly outcome: string;
  readonly failureCode: string | null;
  readonly commit: string;
  readonly run: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly phases: readonly Phase[];
  readonly materials: readonly Material[];
  readonly subjects: readonly Material[];
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly fix: string;
    readonly evidence: readonly string[];
  } | null;
  readonly [field: string]: unknown;
}

/** Writes the report under the runner's temp folder and returns its path. */
export function writeReport(report: Report, github: GitHubContext): string {
  const folder = join(github.temp, "goci");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${report.action}-report-${process.pid}.json`);
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
  return path;
}

/** What a run gathers while it goes, for its outputs, its report and its summary. */
export class ReportDraft {
  readonly outputs = new Map<string, string>();
  readonly materials: Material[] = [];
  readonly subjects: Material[] = [];
  readonly fields: Record<string, unknown> = {};
  readonly phases: Phase[] = [];
  /** Markdown of the action's own part of the job summary. */
  summary = "";

  /** Sets a step output. */
  output(name: string, value: string | number | boolean): void {
    this.outputs.set(name, String(value));
  }

  /** Sets a field of the action's own in the report. */
  set(field: string, value: unknown): void {
    this.fields[field] = value;
  }

  used(material: Material): void {
    this.materials.push(material);
  }

  made(subject: Material): void {
    this.subjects.push(subject);
  }
}
