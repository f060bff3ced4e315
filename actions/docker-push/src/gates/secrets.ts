import { Failure } from "../../../../lib/errors.ts";
import type { PreparedImage } from "../image/model.ts";

/** Throws SECRET_IN_IMAGE when the scan of an image found one; names places, never values. */
export function requireNoSecrets(images: readonly Pick<PreparedImage, "secrets">[]): void {
  const lines = [
    ...new Set(images.flatMap(({ secrets }) => secrets.map(({ what, where }) => `${what}: ${where}`))),
  ];
  const [first, ...rest] = lines;
  if (first === undefined) return;
  const more = rest.length === 0 ? "" : `, and ${rest.length} more`;
  throw new Failure(`the image holds a secret: ${first}${more}`, {
    code: "SECRET_IN_IMAGE",
    fix: "mount it with `secrets` and RUN --mount=type=secret, keep files out with .dockerignore (a later RUN rm does not), and replace a secret that was pushed before",
    evidence: lines.slice(0, 30),
  });
}
