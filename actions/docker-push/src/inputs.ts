import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { GitHubContext } from "../../../lib/github-context.ts";
import type { InputReader } from "../../../lib/inputs.ts";
import { parseKeyValues } from "../../../lib/key-values.ts";
import { readAnnotations } from "./inputs/annotations.ts";
import { readBuild, readSource } from "./inputs/build.ts";
import { readGates } from "./inputs/gates.ts";
import type { Inputs, TagInputs } from "./inputs/model.ts";
import { placeProblems } from "./inputs/places.ts";
import { readRegistry } from "./inputs/registry.ts";
import { secretArgs } from "./inputs/secret-args.ts";
import { parseBranchTags } from "./tags/branch-tags.ts";
import { parseFlavor } from "./tags/flavor.ts";
import { parseRules } from "./tags/parse-rules.ts";

/** The rules that most repositories want. */
const USUAL_TAGS = [
  "type=ref,event=branch",
  "type=ref,event=tag",
  "type=ref,event=pr",
  "type=semver,pattern={{version}}",
  "type=semver,pattern={{major}}.{{minor}}",
  "type=sha",
];

const USUAL_BRANCHES = ["main=main,latest", "dev=dev", "staging=staging"];

/** Reads every input. Problems go to the reader, those of the files that the build needs too. */
export function parseInputs(read: InputReader, github: GitHubContext): Inputs {
  const root = resolve(github.workspace, read.text("working-directory", "."));
  const registry = readRegistry(read, github);
  const build = readBuild(read, root);
  const source = readSource(read, root);
  const load = read.bool("load", false);
  const secretValues = [
    ...registry.logins.map((login) => login.password),
    ...build.secrets.map((secret) => secret.value.toString("utf8").replace(/\r?\n$/, "")),
  ].filter((value) => value !== "");
  for (const problem of secretArgs(build.args, secretValues)) read.problem(problem);
  if (load && build.platforms.length > 1)
    read.problem(
      "`load` is `true` and `platforms` names several: a local engine keeps an image of one platform",
    );
  const inputs: Inputs = {
    dryRun: read.bool("dry-run", false),
    root,
    registry,
    source,
    build,
    labels: read.map("labels"),
    annotations: readAnnotations(read, build.platforms),
    tags: readTags(read),
    gates: readGates(read, root),
    push: read.bool("push", true),
    load,
    reproducible: read.bool("reproducible", true),
    sbom: read.bool("sbom", false),
    provenance: readProvenance(read),
    preflight: read.bool("preflight", true),
    timeoutMs: read.duration("timeout", "30m", "m", { min: 1000 }),
    secretValues,
  };
  noteMissing(read, inputs);
  return Object.freeze(inputs);
}

/** With an artifact still to come only the working directory can be looked at. */
function noteMissing(read: InputReader, inputs: Inputs): void {
  if (!statSync(inputs.root, { throwIfNoEntry: false })?.isDirectory()) {
    read.problem(`\`working-directory\` is no folder: \`${inputs.root}\``);
    return;
  }
  if (inputs.build.artifact === undefined) for (const problem of placeProblems(inputs)) read.problem(problem);
}

function readTags(read: InputReader): TagInputs {
  const { rules, problems } = parseRules(read.list("tags", { fallback: USUAL_TAGS }));
  for (const problem of problems) read.problem(`\`tags\`: ${problem}`);
  const flavor = parseFlavor(read.list("flavor", { fallback: ["latest=auto"] }));
  for (const problem of flavor.problems) read.problem(`\`flavor\`: ${problem}`);
  const overwrite = read.enumeration("overwrite", ["never", "moving", "always"], "moving");
  return { rules, flavor: flavor.flavor, branchTags: readBranchTags(read), overwrite };
}

/** The runner fills in the default: an input that is there and empty was emptied on purpose. */
function readBranchTags(read: InputReader): ReadonlyMap<string, readonly string[]> {
  const lines = read.list("branch-tags", { fallback: USUAL_BRANCHES });
  if (!read.given("branch-tags")) return new Map();
  const parsed = parseKeyValues(lines.join("\n"));
  if (!parsed.ok) {
    read.problem(`\`branch-tags\` cannot be read: ${parsed.problem}`);
    return new Map();
  }
  const { map, problems } = parseBranchTags(parsed.pairs);
  for (const problem of problems) read.problem(`\`branch-tags\`: ${problem}`);
  return map;
}

/** docker/build-push-action also takes `mode=min` and `mode=max` here; the statement is the same one. */
function readProvenance(read: InputReader): boolean {
  const text = read.text("provenance", "false").toLowerCase();
  if (text === "mode=min" || text === "mode=max") return true;
  return read.bool("provenance", false);
}
