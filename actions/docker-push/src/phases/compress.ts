import type { RunContext } from "../../../../lib/action.ts";
import { messageOf } from "../../../../lib/errors.ts";
import { checkSize } from "../gates/size.ts";
import { adopt, finish } from "../image/finish.ts";
import { type PreparedImage, type PushableImage, platformText } from "../image/model.ts";
import type { Inputs } from "../inputs/model.ts";
import { manifestAnnotations } from "../plan/labels.ts";
import type { Plan } from "../plan/plan.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { Workshop } from "../workshop.ts";
import { type Access, readingClient } from "./access.ts";
import { type Formers, formerSize, manifestFor, readFormer } from "./former.ts";
import { tellSizes } from "./tell.ts";

/** Compresses and holds the sizes against the budgets; throws TOO_LARGE. */
export async function compressGated(
  prepared: readonly PreparedImage[],
  wanted: { readonly inputs: Inputs; readonly plan: Plan; readonly access: Access },
  context: RunContext,
  workshop: Workshop,
): Promise<[PushableImage, ...PushableImage[]]> {
  const { inputs, plan, access } = wanted;
  const client = readingClient(access, inputs, context);
  const formers = await readFormers(inputs, plan, client, access.destination.kind === "push", context);
  const images = await compressImages(prepared, inputs, formers, workshop, context);
  tellSizes(images, formers, context);
  checkSizes(images, inputs, formers);
  return images;
}

/** Reads what the first repository holds under the planned tags: at most two images. */
async function readFormers(
  inputs: Inputs,
  plan: Plan,
  client: RegistryClient | undefined,
  isPush: boolean,
  { log, signal }: Pick<RunContext, "log" | "signal">,
): Promise<Formers> {
  const [repository] = inputs.registry.images;
  const [first] = plan.tags.tags;
  if (!client || !repository || !first) return { same: undefined, moving: undefined };
  const { path, name } = repository;
  const movingTag = plan.tags.tags.find(({ kind }) => kind === "moving")?.tag;
  try {
    const same = await readFormer(client, path, name, first.tag);
    const isAsked = movingTag !== undefined && (same === undefined || inputs.gates.maxGrowth !== undefined);
    if (first.tag === movingTag) return { same, moving: same };
    return { same, moving: isAsked ? await readFormer(client, path, name, movingTag) : undefined };
  } catch (error) {
    signal.throwIfAborted();
    // A gate that was asked for is not passed by looking away; else the push itself tells what is wrong.
    if (inputs.gates.maxGrowth !== undefined && isPush) throw error;
    log.info(`${name}: the former image cannot be read: ${messageOf(error)}`);
    return { same: undefined, moving: undefined };
  }
}

/** Makes the images pushable: layers that the registry has already are not compressed again. */
async function compressImages(
  images: readonly PreparedImage[],
  inputs: Inputs,
  formers: Formers,
  workshop: Workshop,
  { log, signal }: Pick<RunContext, "log" | "signal">,
): Promise<[PushableImage, ...PushableImage[]]> {
  const folder = workshop.place("compressed");
  const pushable: PushableImage[] = [];
  for (const image of images) {
    const platform = platformText(image.platform);
    const how = { annotations: manifestAnnotations(inputs.annotations, platform), folder, signal };
    const adopted = [formers.same, formers.moving]
      .map((former) => former && manifestFor(former, image.platform))
      .map((manifest) => manifest && adopt(image, manifest, how))
      .find((found) => found !== undefined);
    if (adopted) log.info(`${platform}: the registry has these very layers already`);
    pushable.push(adopted ?? (await finish(image, how)));
  }
  const [first, ...others] = pushable;
  if (!first) throw new Error("the engine gave out no image");
  return [first, ...others];
}

/** Throws TOO_LARGE; every platform has the whole budget. */
function checkSizes(images: readonly PushableImage[], inputs: Inputs, formers: Formers): void {
  for (const image of images) {
    const largest = [...image.layers].sort((a, b) => b.size - a.size).slice(0, 5);
    checkSize({
      bytes: image.sizeCompressed,
      maxSize: inputs.gates.maxSize,
      maxGrowth: inputs.gates.maxGrowth,
      former: formerSize(image, formers.moving),
      largest,
    });
  }
}
