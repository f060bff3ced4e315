import { readFileSync } from "node:fs";

/** The part of a webhook event that tags, labels and the decision to push are made from; "" is unknown. */
export interface Event {
  readonly defaultBranch: string;
  readonly description: string;
  readonly license: string;
  readonly htmlUrl: string;
  readonly pullRequest: string;
  /** Base of a pull request, or the branch that a tag was pushed from. */
  readonly baseRef: string;
  /** `owner/name` that a pull request comes from, "" when it is no pull request; "unknown" for a deleted fork. */
  readonly headRepository: string;
  /** RFC 3339. */
  readonly headCommitTime: string;
}

/** Reads the event's payload; a runner without one (a laptop) is no error. */
export function readEvent(path: string | undefined): Event {
  const payload = payloadOf(path);
  const at = (...names: string[]) => textAt(payload, names);
  const isPull = isObject(valueAt(payload, ["pull_request"]));
  return {
    defaultBranch: at("repository", "default_branch"),
    description: at("repository", "description"),
    license: at("repository", "license", "spdx_id"),
    htmlUrl: at("repository", "html_url"),
    pullRequest: at("pull_request", "number") || at("number"),
    baseRef: (at("pull_request", "base", "ref") || at("base_ref")).replace(/^refs\/heads\//, ""),
    headRepository: isPull ? at("pull_request", "head", "repo", "full_name") || "unknown" : "",
    headCommitTime: at("head_commit", "timestamp"),
  };
}

function payloadOf(path: string | undefined): unknown {
  if (!path) return {};
  try {
    return JSON.parse(readFileSync(path, "utf8")) as unknown;
  } catch {
    return {};
  }
}

function textAt(payload: unknown, names: readonly string[]): string {
  const value = valueAt(payload, names);
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function valueAt(payload: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), payload);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
