import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { engineProblem, type RunningEngine, startDockerEngine } from "../lib/testing/docker-engine.ts";
import { hasRegistry, startRegistry, type TestRegistry } from "../lib/testing/registry.ts";
import { freePort } from "../lib/testing/sshd.ts";
import { type ActEvent, type ActResult, type ActRun, startAct } from "./act.ts";
import type { DeliveryOptions } from "./deliveries.ts";
import { gather, note, type Seen, tagsOf } from "./image-evidence.ts";
import { IMAGE_STAGES, type ImageEvidence, type ImageStage, judgeImage, LEAKY } from "./image-stages.ts";
import { makeProject } from "./project.ts";
import type { Shown } from "./shown.ts";

const BUILD_IMAGE = "build-image:local";

/** Why there can be no engine or no registry here, "" when there can. */
function whatIsMissing(): string {
  return engineProblem() ?? (hasRegistry() ? "" : "not installed: docker-registry");
}

/** The stages that end in a registry: one run of image.yml with a Docker engine and a registry of its own. */
export async function showImages(
  options: Omit<DeliveryOptions, "machine">,
  missing = whatIsMissing(),
): Promise<Shown[]> {
  if (missing) {
    options.progress.say(`image: skipped, ${missing}`);
    return IMAGE_STAGES.map((stage) => skipped(stage, missing));
  }
  options.progress.say("image: starting a Docker engine and a registry");
  const [engine, registry] = await Promise.all([startDockerEngine(), startRegistry()]);
  try {
    importBuildImage(options, engine);
    return await carry(options, engine, registry);
  } finally {
    await Promise.all([engine.stop(), registry.stop()]);
  }
}

/** Nothing can be pulled here: what the Dockerfile stands on is made of this machine's own files. */
function importBuildImage(
  { checkout, folder }: Pick<DeliveryOptions, "checkout" | "folder">,
  engine: RunningEngine,
) {
  const file = join(folder, "build-image.tar");
  const script = join(checkout, "sample-app/scripts/make-base.ts");
  execFileSync(process.execPath, [script, "--with-node", file], { stdio: "pipe" });
  engine.docker(["import", file, BUILD_IMAGE]);
  rmSync(file);
}

/** The commit that all image stages are of, and the run of image.yml that makes them. */
async function startImages(
  { checkout, repositories, progress }: Omit<DeliveryOptions, "machine">,
  home: string,
  engine: RunningEngine,
  registry: TestRegistry,
  onEvent: (event: ActEvent) => void,
): Promise<ActRun> {
  const commit = makeProject(checkout, join(home, "shop"), "Ship an image", LEAKY);
  progress.say(`image: commit ${commit.slice(0, 7)} "Ship an image"`);
  const secrets = join(home, "secrets");
  writeFileSync(secrets, `REGISTRY_PASSWORD="${registry.password}"\n`, { mode: 0o600 });
  return startAct({
    act: join(checkout, ".tools/bin/act"),
    folder: join(home, "shop"),
    workflow: ".github/workflows/image.yml",
    event: "workflow_dispatch",
    variables: { REGISTRY: registry.host, REGISTRY_USER: registry.username, BUILD_IMAGE },
    secretFile: secrets,
    repositories,
    cache: join(home, "cache"),
    artifacts: join(home, "artifacts"),
    artifactPort: await freePort(),
    env: { ...process.env, ...reach(engine), GOCI_DEMO_KEEP: join(home, "kept") },
    logFile: join(checkout, "demo/out/image.log"),
    onEvent,
  });
}

async function carry(
  options: Omit<DeliveryOptions, "machine">,
  engine: RunningEngine,
  registry: TestRegistry,
): Promise<Shown[]> {
  const { folder, progress, cancel } = options;
  cancel.throwIfAborted();
  const home = join(folder, "image");
  mkdirSync(home);
  const seen = new Map<string, Seen>();
  const run = await startImages(options, home, engine, registry, (event) =>
    note(event, seen, registry, (text) => progress.say(`image: ${text}`)),
  );
  const pushedAt = Date.now();
  const stop = () => void run.stop();
  cancel.addEventListener("abort", stop, { once: true });
  const result = await run.result;
  cancel.removeEventListener("abort", stop);
  cancel.throwIfAborted();
  const last = await tagsOf(registry);
  const shown: Shown[] = [];
  for (const [index, stage] of IMAGE_STAGES.entries()) {
    const own = seen.get(stage.job);
    const next = seen.get(IMAGE_STAGES[index + 1]?.job ?? "");
    const until = {
      access: next?.accessFrom ?? registry.accessLog().length,
      after: (await next?.before) ?? last,
    };
    const evidence = await gather(own, until, registry);
    shown.push(show(stage, evidence, result, { pushedAt, own, previous: shown.at(-1) }));
  }
  for (const stage of shown) tell(stage, (text) => progress.say(text));
  if (shown.some(({ broken }) => broken.length > 0))
    console.log(result.tail.map((line) => `          ${line}`).join("\n"));
  return shown;
}

/** Where the workflow's steps find the engine; HOME and PATH stay the person's. */
function reach({ env }: RunningEngine): Record<string, string | undefined> {
  return { DOCKER_HOST: env["DOCKER_HOST"], DOCKER_CONFIG: env["DOCKER_CONFIG"] };
}

function show(
  stage: ImageStage,
  evidence: ImageEvidence,
  result: ActResult,
  when: { pushedAt: number; own: Seen | undefined; previous: Shown | undefined },
): Shown {
  const startedAt = when.own?.startedAt ?? when.pushedAt;
  const endedAt = when.own?.endedAt ?? startedAt;
  // Only the first stage has a pipeline before it.
  const pushedAt = when.previous ? startedAt : when.pushedAt;
  return {
    ...stage,
    outcome: evidence.outcome,
    reason: evidence.reason,
    afterwards: describe(evidence),
    seconds: (endedAt - pushedAt) / 1000,
    load: undefined,
    delivery: { ...result, summaries: result.summaries.filter(({ job }) => job === stage.job) },
    ...{ pushedAt, builtAt: startedAt, startedAt, endedAt },
    broken: judgeImage(stage, evidence),
  };
}

function describe({ after, size, access }: ImageEvidence): string {
  const digests = new Set(after.values());
  const writes = access.filter(({ method }) => method === "PUT" || method === "PATCH").length;
  const tags = [...after.keys()].sort().join(", ") || "no tag";
  const names = digests.size === 1 ? `${tags}: ${[...digests][0]?.slice(0, 19)}` : `${digests.size} digests`;
  return `The registry has ${names}; it saw ${writes} writes${size > 0 ? `; ${(size / 1e6).toFixed(1)} MB` : ""}`;
}

function skipped(stage: ImageStage, why: string): Shown {
  const now = Date.now();
  return {
    ...stage,
    outcome: "skipped",
    reason: why,
    afterwards: "No image was built, and nothing is claimed of it",
    seconds: 0,
    load: undefined,
    delivery: undefined,
    ...{ pushedAt: now, builtAt: now, startedAt: now, endedAt: now },
    broken: [],
  };
}

function tell({ key, outcome, broken }: Shown, say: (text: string) => void): void {
  say(`${key}: ${outcome}${broken.length > 0 ? `, NOT as promised: ${broken.join("; ")}` : ""}`);
}
