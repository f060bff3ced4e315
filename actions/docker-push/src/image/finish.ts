import type { PreparedImage, PushableImage } from "./model.ts";

/** How an image is made pushable. */
export interface Finishing {
  /** Annotations of the manifest itself. */
  readonly annotations: ReadonlyMap<string, string>;
  /** A private folder for the compressed layers. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Compresses the layers (the same bytes for the same layers, in parallel) and writes the manifest. */
export async function finish(_image: PreparedImage, _how: Finishing): Promise<PushableImage> {
  throw new Error("not built yet");
}

/**
 * The pushable image without compressing anything, when a manifest that a
 * registry serves has this very config: its layers are then this image's
 * layers. Undefined when it has not. `open` of such a layer compresses on
 * demand, and fails when the bytes are not the same any more.
 */
export function adopt(
  _image: PreparedImage,
  _previous: { readonly mediaType: string; readonly bytes: Buffer },
  _how: Finishing,
): PushableImage | undefined {
  return undefined;
}
