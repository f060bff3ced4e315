import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A change to one file of the sample app: `from` must stand in it exactly once. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Paths that a team gets when it writes `uses: org/goci/...@v1`. */
const PUBLISHED = [
  "actions/*/action.yml",
  "actions/*/dist/**",
  ".github/workflows",
  "package.json",
  "LICENSE",
];

/** Third-party actions that a run without a network stands in for, with what they do here. */
const STAND_INS: Readonly<Record<string, string>> = {
  "actions/setup-node": "true",
  "actions/setup-go": "true",
  "aws-actions/configure-aws-credentials": "true",
  // Keeps the files in the demo's own folder, so that the page can show them.
  "actions/upload-artifact":
    'mkdir -p "$GOCI_DEMO_KEEP/$NAME" && printf "%s\\n" "$FILES" | while read -r file; do if [ -e "$file" ]; then cp -r "$file" "$GOCI_DEMO_KEEP/$NAME/"; fi; done',
};

/** A git repository at `folder` with everything in it committed; the commit's id. */
export function commitAll(folder: string, message: string): string {
  const git = (...args: string[]) =>
    execFileSync(
      "git",
      ["-c", "user.name=demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false", ...args],
      {
        cwd: folder,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all", "--force");
  git("commit", "--quiet", "--allow-empty", "--message", message);
  return git("rev-parse", "HEAD").trim();
}

/** goci as its users get it: no sources, no node_modules. */
export function publishGoci(checkout: string, folder: string): void {
  copyTracked(checkout, PUBLISHED, folder);
  commitAll(folder, "v1");
}

/** The folders that stand in for third-party actions, by `owner/name@commit`, found in goci's own workflows. */
export function standIns(goci: string, folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const workflows = ["pipeline", "docker", "ec2", "ecs", "load-test"].map((name) =>
    readFileSync(join(goci, ".github/workflows", `${name}.yml`), "utf8"),
  );
  for (const [, name = "", ref = ""] of workflows
    .join("\n")
    .matchAll(/uses: ([\w-]+\/[\w-]+)@([0-9a-f]{40})/g)) {
    const script = STAND_INS[name];
    if (script === undefined) continue;
    const target = join(folder, name.replace("/", "-"));
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, "action.yml"), standInAction(name, script));
    commitAll(target, "stand-in");
    found.set(`${name}@${ref}`, target);
  }
  return found;
}

function standInAction(name: string, script: string): string {
  return JSON.stringify({
    name,
    description: `Stands in for ${name} where there is no network`,
    inputs: Object.fromEntries(
      [
        ...["node-version", "go-version", "cache", "package-manager-cache"],
        ...["name", "path", "role-to-assume", "aws-region"],
      ].map((input) => [input, { description: input, required: false }]),
    ),
    runs: {
      using: "composite",
      steps: [
        {
          run: script,
          shell: "sh",
          env: { NAME: "${{ inputs.name }}", FILES: "${{ inputs.path }}" },
        },
      ],
    },
  });
}

/** The team's repository at one commit: the sample app, the two workflows, and an edit on top. */
export function makeProject(
  checkout: string,
  folder: string,
  message: string,
  edits: readonly Edit[],
): string {
  copyTracked(join(checkout, "sample-app"), ["."], folder);
  cpSync(join(checkout, "demo/project"), join(folder, ".github/workflows"), { recursive: true });
  for (const edit of edits) applyEdit(folder, edit);
  return commitAll(folder, message);
}

function applyEdit(folder: string, edit: Edit): void {
  const path = join(folder, edit.file);
  const text = readFileSync(path, "utf8");
  if (text.split(edit.from).length !== 2)
    throw new Error(`demo: ${edit.file} does not hold "${edit.from}" exactly once`);
  writeFileSync(
    path,
    text.replace(edit.from, () => edit.to),
  );
}

function copyTracked(from: string, patterns: readonly string[], to: string): void {
  const files = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...patterns],
    { cwd: from, encoding: "utf8" },
  );
  for (const file of files.split("\0").filter((name) => name !== "")) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    // A file that git knows and that was just removed is no part of the tree.
    if (existsSync(join(from, file))) cpSync(join(from, file), join(to, file));
  }
}
