import type { PreparedImage } from "./model.ts";

/** Writes the image in `docker save` form (plain layers), for scanners and for `docker load`. */
export async function writeArchive(
  _image: PreparedImage,
  _references: readonly string[],
  _path: string,
  _signal: AbortSignal,
): Promise<void> {
  throw new Error("not built yet");
}
