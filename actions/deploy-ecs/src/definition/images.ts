import { type ContainerImage, containersOf, type Definition, textOf } from "./model.ts";

/** Every container that has an image. */
export function imagesOf(definition: Definition): readonly ContainerImage[] {
  return containersOf(definition)
    .map((container) => ({ container: textOf(container["name"]), image: textOf(container["image"]) }))
    .filter(({ image }) => image !== "");
}

/** Whether a reference names one image for good: by digest, or by a tag other than `latest`. */
export function isPinned(image: string): boolean {
  if (image.includes("@sha256:")) return true;
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag !== undefined && tag !== "latest";
}

/** The digest that a reference names, "" when it names none. */
export function digestIn(image: string): string {
  return /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1] ?? "";
}

/** One line for each container whose image may be another one tomorrow. */
export function imageWarnings(definition: Definition): readonly string[] {
  return imagesOf(definition).flatMap(({ container, image }) => {
    if (isPinned(image)) return [];
    return [
      `container ${container}: the image ${image} is not pinned; give a digest or a tag that is never moved, so that a rollback finds the old image again`,
    ];
  });
}
