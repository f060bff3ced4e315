import type { Green, RunContext } from "../../../lib/action.ts";
import { withinBudget } from "./budget.ts";
import { requireNoSecrets } from "./gates/secrets.ts";
import type { Inputs } from "./inputs/model.ts";
import { type Access, finalPlan, firstPlan, openAccess, proveRight } from "./phases/access.ts";
import { compressGated } from "./phases/compress.ts";
import { checkFiles } from "./phases/files.ts";
import { keepInEngine } from "./phases/keep.ts";
import { findMaker, type Maker, makeImage, prepareImages } from "./phases/make-image.ts";
import { scanImages } from "./phases/scanner.ts";
import { type Parcel, rootOfImages, sendImages } from "./phases/send.ts";
import * as tell from "./phases/tell.ts";
import type { Plan } from "./plan/plan.ts";
import { type Known, lookAround } from "./plan/repository.ts";
import { openWorkshop, type Workshop } from "./workshop.ts";

/** Plans, builds, gates, pushes and proves; nothing reaches a registry before every gate has passed. */
export async function run(inputs: Inputs, context: RunContext): Promise<Green> {
  const { draft, github } = context;
  if (github.sha !== "") draft.used({ type: "commit", name: github.sha, digest: "" });
  return withinBudget(inputs.timeoutMs, context, async (bounded) => {
    try {
      return await carryOut(inputs, bounded);
    } finally {
      tell.tellPhases(bounded);
      tell.warnOfMasked(bounded);
    }
  });
}

async function carryOut(inputs: Inputs, context: RunContext): Promise<Green> {
  const { github, env, clock } = context;
  const known = await context.phase("look", () => lookAround(inputs.root, github, env, clock.now()));
  const planned = await context.phase("plan", () => firstPlan(inputs, known, context));
  await context.phase("files", () => checkFiles(inputs, context));
  const access = await context.phase("login", () => openAccess(inputs, known, context));
  const plan = await context.phase("tags", () => finalPlan(planned, access, inputs, known, context));
  if (inputs.dryRun) return tell.tellPlanned(plan, inputs, context);
  await context.phase("preflight", () => proveRight(access, inputs, context));
  const workshop = openWorkshop(context);
  try {
    const maker = await context.phase("engine", () => findMaker(inputs, known, access, context, workshop));
    return await makeAndSend({ inputs, context, known, plan, access, workshop, maker });
  } finally {
    access.registries.close();
    workshop.remove();
  }
}

/** Everything that is settled before the image is made. */
interface Job {
  readonly inputs: Inputs;
  readonly context: RunContext;
  readonly known: Known;
  readonly plan: Plan;
  readonly access: Access;
  readonly workshop: Workshop;
  readonly maker: Maker;
}

async function makeAndSend(job: Job): Promise<Green> {
  const { inputs, context, known, plan, access, maker } = job;
  const startedAt = context.clock.now();
  const { prepared, images } = await makeGated(job);
  const root = rootOfImages(images, inputs);
  if (access.destination.kind !== "push") {
    tell.tellKept(access.destination.why, root.digest, inputs, context);
    return "built";
  }
  const parcel = { prepared, images, engine: maker.engine?.name ?? inputs.source.kind, startedAt };
  const result = await context.phase("push", () =>
    sendImages(parcel, root, { inputs, known, plan, registries: access.registries }, context),
  );
  tell.tellPushed(result, inputs, plan, context);
  return result.outcome;
}

/** The image, through every gate. */
async function makeGated(job: Job): Promise<Pick<Parcel, "prepared" | "images">> {
  const { inputs, context, known, plan, access, workshop, maker } = job;
  const built = await context.phase("build", () => makeImage(maker, inputs));
  const prepared = await context.phase("scan", () =>
    prepareImages(built, { inputs, known, plan }, context, workshop),
  );
  tell.tellPrepared(prepared, built, context);
  requireNoSecrets(prepared);
  const verdicts = await context.phase("findings", () => scanImages(prepared, inputs, context, workshop));
  tell.tellFindings(verdicts, context);
  const images = await context.phase("compress", () =>
    compressGated(prepared, { inputs, plan, access }, context, workshop),
  );
  if (inputs.load) await context.phase("load", () => keepInEngine(maker, prepared, plan, workshop, context));
  return { prepared, images };
}
