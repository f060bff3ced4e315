import { builtinModules } from "node:module";
import { dirname, join, normalize } from "node:path/posix";

/** Files of lib that are the runner's own side: only they may read its environment or use its toolkit. */
const RUNNER_SIDE = new Set(
  ["action", "post", "outputs", "state", "mask", "exec"].map((name) => `lib/${name}.ts`),
);

/** Which room a file lives in, as far as the arrows of imports go. */
type Room = { readonly kind: "lib" | "testing" | "action" | "test" | "other"; readonly action: string };

/**
 * What in one file goes against the direction of imports, one line each:
 * actions use lib and never each other, lib uses no action, what ships uses no
 * test support and no package meant for development, and domain code knows
 * neither the runner's toolkit nor the environment.
 */
export function importProblems(path: string, code: string, shipped: ReadonlySet<string>): string[] {
  const room = roomOf(path);
  const bare = withoutComments(code);
  const problems = importsOf(bare).flatMap((target) => problemsOfImport(path, room, target, shipped));
  if (isDomain(path, room)) {
    if (/\bprocess\.env\b/.test(bare)) problems.push("reads process.env: take what is needed as a parameter");
    if (/\bprocess\.exit\(/.test(bare))
      problems.push("ends the process: only lib/action.ts and lib/post.ts do");
  }
  return problems.map((problem) => `${path}: ${problem}`);
}

function problemsOfImport(path: string, room: Room, target: string, shipped: ReadonlySet<string>): string[] {
  if (!target.startsWith(".")) return problemsOfPackage(path, room, target, shipped);
  const other = roomOf(normalize(join(dirname(path), target)));
  const problems: string[] = [];
  if (!/\.(ts|json|js|mjs)$/.test(target)) problems.push(`imports ${target} without its extension`);
  const inLib = room.kind === "lib" || path.startsWith("lib/");
  if (inLib && other.action !== "") problems.push(`lib imports an action: ${target}`);
  if (room.action !== "" && other.action !== "" && room.action !== other.action) {
    problems.push(`one action imports another: ${target}`);
  }
  const ships = room.kind === "lib" || room.kind === "action";
  if (ships && (other.kind === "testing" || other.kind === "test")) {
    problems.push(`imports what only tests may use: ${target}`);
  }
  return problems;
}

function problemsOfPackage(path: string, room: Room, target: string, shipped: ReadonlySet<string>): string[] {
  if (room.kind !== "lib" && room.kind !== "action") return [];
  const name = target
    .split("/")
    .slice(0, target.startsWith("@") ? 2 : 1)
    .join("/");
  if (name.startsWith("node:")) return [];
  if (builtinModules.includes(name)) return [`imports ${name}: write node:${name}`];
  if (name === "@actions/core" && isDomain(path, room))
    return ["imports @actions/core: take a port as a parameter"];
  return shipped.has(name) ? [] : [`imports ${name}, which is not among the dependencies of package.json`];
}

function isDomain(path: string, room: Room): boolean {
  return (room.kind === "lib" || room.kind === "action") && !RUNNER_SIDE.has(path);
}

function roomOf(path: string): Room {
  const action = /^actions\/([^/]+)\//.exec(path)?.[1] ?? "";
  if (/(^|\/)test\//.test(path)) return { kind: "test", action };
  if (path.startsWith("lib/testing/")) return { kind: "testing", action: "" };
  if (path.startsWith("lib/")) return { kind: "lib", action: "" };
  if (/^actions\/[^/]+\/src\//.test(path)) return { kind: "action", action };
  return { kind: "other", action };
}

/** What a file imports or exports from: static, dynamic and type imports alike. */
export function importsOf(code: string): string[] {
  const found = code.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\(\s*)["']([^"']+)["']/g);
  return [...found].map((match) => match[1] ?? "");
}

/** Good enough to look for words: a `//` inside a string cuts its line short, which hides nothing that matters here. */
function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}
