import { existsSync, readFileSync } from "node:fs";
import { needsBuildKit, parseDockerfile } from "./dockerfile.ts";
import type { BuildSpec, EngineName } from "./engine.ts";

/** What only some engines can do; named as the input that asks for it. */
export type Need =
  | "build-contexts"
  | "secrets"
  | "ssh"
  | "shm-size"
  | "ulimit"
  | "network"
  | "dockerignore"
  | "dockerfile";

const WORDS: Readonly<Record<Need, string>> = {
  "build-contexts": "`build-contexts`",
  secrets: "`secrets`",
  ssh: "`ssh`",
  "shm-size": "`shm-size`",
  ulimit: "`ulimit`",
  network: "`network` other than `default`, `none` and `host`",
  dockerignore: "an ignore file of the Dockerfile's own (`<Dockerfile>.dockerignore`)",
  dockerfile: "`RUN --mount`, `COPY --chmod`, `COPY --link` or here-documents in the Dockerfile",
};

/** The needs that an engine of this kind leaves open; `old` is BuildKit inside an engine before 23. */
const CANNOT: Readonly<Record<EngineName | "old", readonly Need[]>> = {
  buildx: ["network"],
  buildkit: ["network"],
  // Of that age: it takes these options, and drops them without a word.
  old: ["network", "build-contexts", "shm-size", "ulimit"],
  classic: ["build-contexts", "secrets", "ssh", "dockerignore", "dockerfile"],
  buildah: [],
};

/** What the inputs and the Dockerfile ask for beyond what every engine does. */
export function needsOf(spec: BuildSpec): Need[] {
  const needs: Need[] = [];
  if (spec.contexts.size > 0) needs.push("build-contexts");
  if (spec.secrets.length > 0) needs.push("secrets");
  if (spec.ssh.length > 0) needs.push("ssh");
  if (spec.shmSize > 0) needs.push("shm-size");
  if (spec.ulimits.length > 0) needs.push("ulimit");
  if (!["", "default", "none", "host"].includes(spec.network)) needs.push("network");
  if (existsSync(`${spec.file}.dockerignore`)) needs.push("dockerignore");
  if (needsBuildKit(parseDockerfile(readDockerfile(spec.file)))) needs.push("dockerfile");
  return needs;
}

/** The needs that an engine cannot meet, in words for a message. */
export function cannotMeet(spec: BuildSpec, kind: EngineName | "old"): string[] {
  const missing = CANNOT[kind];
  return needsOf(spec)
    .filter((need) => missing.includes(need))
    .map((need) => WORDS[need]);
}

/** The kinds of engine that could do all that is asked. */
export function ableEngines(spec: BuildSpec): EngineName[] {
  const names: readonly EngineName[] = ["buildx", "buildkit", "classic", "buildah"];
  return names.filter((name) => cannotMeet(spec, name).length === 0);
}

/** The Dockerfile's text; empty when it is missing, which the inputs' check reports. */
export function readDockerfile(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
