import { type Preparation, prepare } from "../src/phases/prepare.ts";
import { COMMIT_TIME, fileOf, makeFolder, tarOf } from "./image-kit.ts";

export const signal = new AbortController().signal;

/** How to prepare an image for these tests. */
export function how(more: Partial<Preparation> = {}): Preparation {
  return {
    commitTime: COMMIT_TIME,
    labels: new Map(),
    secretValues: undefined,
    folder: makeFolder(),
    signal,
    ...more,
  };
}

/** Prepares the image that an archive of these bytes holds. */
export async function prepareBytes(bytes: Buffer, more: Partial<Preparation> = {}) {
  const images = await prepare({ path: fileOf(bytes), platform: "" }, how(more));
  const [image] = images;
  if (!image) throw new Error("no image");
  return { image, images };
}

/** A layer as old as a base image's. */
export const base = await tarOf([
  { name: "bin/", type: "directory" },
  { name: "bin/sh", content: "shell", mode: 0o755 },
]);
/** A layer younger than the commit. */
export const young = await tarOf([
  { name: "b", content: "2", time: COMMIT_TIME + 9 },
  { name: "a", content: "1", time: COMMIT_TIME + 7 },
]);
