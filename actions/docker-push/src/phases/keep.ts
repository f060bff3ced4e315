import { join } from "node:path";
import type { RunContext } from "../../../../lib/action.ts";
import type { PreparedImage } from "../image/model.ts";
import { writeArchive } from "../image/write-archive.ts";
import type { Plan } from "../plan/plan.ts";
import type { Workshop } from "../workshop.ts";
import type { Maker } from "./make-image.ts";

/** Puts the image into the local engine under all its names: the very image that is pushed, with the same id. */
export async function keepInEngine(
  { engine, ports }: Maker,
  images: readonly PreparedImage[],
  plan: Plan,
  workshop: Workshop,
  { signal }: Pick<RunContext, "signal">,
): Promise<void> {
  const [image] = images;
  if (!engine || !image) return;
  const path = join(workshop.place("load"), "image.tar");
  await writeArchive(image, plan.names, path, signal);
  await engine.load(path, ports);
  ports.log.info(`${image.configDigest} is in the local engine`);
}
