import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { InputReader } from "../../../../lib/inputs.ts";
import { parseMemory } from "../sizes.ts";
import { readSecrets } from "./build-secrets.ts";
import type { ArtifactInputs, BuildInputs, Source } from "./model.ts";

/** Reads what is built. Whether its files exist is looked at later: an artifact may bring them. */
export function readBuild(read: InputReader, root: string): BuildInputs {
  const context = readContext(read);
  const file = read.text("file");
  return {
    context: resolve(root, context),
    file: file === "" ? resolve(root, context, "Dockerfile") : resolve(root, file),
    target: read.text("target"),
    args: read.map("build-args"),
    contexts: readContexts(read, root),
    platforms: readPlatforms(read),
    network: read.text("network", "", { pattern: /^\S+$/, allowed: "a name without spaces such as `host`" }),
    shmSize: readShmSize(read),
    ulimits: readEach(read, "ulimit", /^[a-z]+=-?\d+(:-?\d+)?$/, "`nofile=1024:2048`"),
    addHosts: readEach(read, "add-hosts", /^[^\s:=]+[:=]\S+$/, "`name:address`"),
    noCache: read.bool("no-cache", false),
    pull: read.bool("pull", false),
    secrets: readSecrets(read, root),
    ssh: readSsh(read, root),
    cacheFrom: read.list("cache-from"),
    cacheTo: read.list("cache-to"),
    requiredFiles: readRequired(read),
    artifact: readArtifact(read, root),
    engine: read.enumeration("engine", ["auto", "buildx", "buildkit", "classic", "buildah"], "auto"),
  };
}

function readContext(read: InputReader): string {
  const context = read.text("context", ".");
  if (/^([a-z][a-z+]*:\/\/|git@)|\.git(#|$)/i.test(context)) {
    read.problem(
      `\`context\` is \`${context}\`: allowed is a folder of the workspace (check the repository out in a step before)`,
    );
    return ".";
  }
  return context;
}

/** Names with a folder, an address or an image. */
function readContexts(read: InputReader, root: string): ReadonlyMap<string, string> {
  const contexts = new Map<string, string>();
  for (const [name, text] of read.map("build-contexts")) {
    const value = text.trim();
    if (value === "") read.problem(`\`build-contexts\`: \`${name}\` is empty`);
    const isFolder = !/^[a-z][a-z-]*:/i.test(value) && value !== "";
    if (isFolder && !existsSync(resolve(root, value)))
      read.problem(`\`build-contexts\`: \`${name}\` is the folder \`${value}\`, which does not exist`);
    contexts.set(name, isFolder ? resolve(root, value) : value);
  }
  return contexts;
}

function readPlatforms(read: InputReader): string[] {
  const platforms = read.list("platforms", { commas: true }).map((platform) => platform.toLowerCase());
  for (const platform of platforms) {
    if (!/^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9]+)?$/.test(platform))
      read.problem(
        `\`platforms\` holds \`${platform}\`: allowed are names such as \`linux/amd64\` or \`linux/arm64/v8\``,
      );
  }
  return [...new Set(platforms)];
}

function readShmSize(read: InputReader): number {
  const text = read.text("shm-size");
  if (text === "") return 0;
  const bytes = parseMemory(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  read.problem(`\`shm-size\` is \`${text}\`: allowed is a size such as \`64m\` or \`1g\``);
  return 0;
}

function readEach(read: InputReader, name: string, pattern: RegExp, example: string): string[] {
  const lines = read.list(name, { commas: true });
  for (const line of lines) {
    if (!pattern.test(line)) read.problem(`\`${name}\` holds \`${line}\`: allowed is ${example}`);
  }
  return lines;
}

function readSsh(read: InputReader, root: string): string[] {
  return read.list("ssh").map((line) => {
    const found = /^([\w.-]+)(?:=(.+))?$/.exec(line);
    if (!found) {
      read.problem(
        `\`ssh\` holds \`${line}\`: allowed is \`default\` or \`id=path\` of a key or of an agent's socket`,
      );
      return line;
    }
    const [, id = "", paths] = found;
    if (paths === undefined) {
      if (!read.variable("SSH_AUTH_SOCK"))
        read.problem(
          `\`ssh\` holds \`${id}\` without a path, and no agent runs (\`SSH_AUTH_SOCK\` is not set)`,
        );
      return line;
    }
    const absolute = paths.split(",").map((path) => resolve(root, path.trim()));
    for (const path of absolute)
      if (!existsSync(path)) read.problem(`\`ssh\`: \`${id}\` is \`${path}\`, which does not exist`);
    return `${id}=${absolute.join(",")}`;
  });
}

function readRequired(read: InputReader): string[] {
  const globs = read.list("required-files").map((glob) => glob.replace(/^\.\//, ""));
  for (const glob of globs) {
    if (glob.startsWith("/") || glob.split("/").includes(".."))
      read.problem(`\`required-files\` holds \`${glob}\`: allowed are globs below the context`);
  }
  return globs;
}

function readArtifact(read: InputReader, root: string): ArtifactInputs | undefined {
  const name = read.text("artifact-name");
  const digest = read.text("artifact-digest", "", {
    pattern: /^sha256:[0-9a-f]{64}$/,
    allowed: "`sha256:` and 64 hexadecimal digits",
  });
  const folder = resolve(root, read.text("artifact-path", "."));
  if (name === "" && digest !== "") read.problem("`artifact-digest` is given without `artifact-name`");
  return name === "" ? undefined : { name, digest, folder };
}

/** Inputs that only a build can follow. */
const OF_A_BUILD = [
  "file",
  "target",
  "build-args",
  "build-contexts",
  "platforms",
  "network",
  "shm-size",
  "ulimit",
  "add-hosts",
  "secrets",
  "secret-files",
  "secret-envs",
  "ssh",
  "required-files",
  "cache-from",
  "cache-to",
];

/** Reads the `source` input and notes what contradicts it. */
export function readSource(read: InputReader, root: string): Source {
  const text = read.text("source", "build");
  if (text === "build") return { kind: "build" };
  for (const name of OF_A_BUILD) {
    if (read.given(name))
      read.problem(`\`${name}\` is given and \`source\` is \`${text}\`: nothing is built then`);
  }
  const found = /^(daemon|tar):(\S.*)$/.exec(text);
  if (found?.[1] === "daemon") return { kind: "daemon", reference: found[2] ?? "" };
  if (found?.[1] === "tar") return { kind: "tar", path: resolve(root, found[2] ?? "") };
  read.problem(`\`source\` is \`${text}\`: allowed is \`build\`, \`daemon:<image>\` or \`tar:<path>\``);
  return { kind: "build" };
}
