import { readFileSync } from "node:fs";
import type { Environment } from "./config.ts";

/** Which code this process runs; `release` is the deployment's own name for it, if it gave one. */
export type Release = Readonly<{ name: string; version: string; commit: string; release: string | null }>;

/**
 * Reads what the build wrote to `version.json`, or package.json when running from source.
 * `RELEASE`, then `RELEASE_ID`, override the release id of the build: one build is deployed many times.
 */
export function readRelease(root: URL, env: Environment): Release {
  const facts = readJson(new URL("version.json", root)) ?? readJson(new URL("package.json", root));
  return {
    name: text(facts?.["name"]) ?? "sample-app",
    version: text(facts?.["version"]) ?? "unknown",
    commit: text(facts?.["commit"]) ?? "unknown",
    release: env["RELEASE"] || env["RELEASE_ID"] || text(facts?.["release"]) || null,
  };
}

function readJson(file: URL): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new Error(`${file.pathname} cannot be read: build again`, { cause: error });
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
