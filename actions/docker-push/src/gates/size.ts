import { Failure } from "../../../../lib/errors.ts";
import { formatSize } from "../sizes.ts";

/** The image that a moving tag names now, as far as its size goes. */
export interface FormerSize {
  /** `ghcr.io/acme/api:main`. */
  readonly name: string;
  /** Bytes of config and layers, compressed; of several platforms the sum. */
  readonly bytes: number;
}

/** How large the image is, and how large it may be. */
export interface SizeCheck {
  /** Bytes, compressed. */
  readonly bytes: number;
  readonly maxSize: number | undefined;
  /** Percent. */
  readonly maxGrowth: number | undefined;
  /** Undefined: there is nothing to compare with. */
  readonly former: FormerSize | undefined;
  /** The largest layers, for the message. */
  readonly largest: readonly { readonly size: number; readonly command: string }[];
}

/** Throws TOO_LARGE when the image is over its budget or has grown too much. */
export function checkSize(check: SizeCheck): void {
  const problems = [overBudget(check), overGrowth(check)].filter((line) => line !== "");
  if (problems.length === 0) return;
  throw new Failure(`the image is too large: ${problems.join("; ")}`, {
    code: "TOO_LARGE",
    fix: "make the largest layers smaller (see the list of layers), or raise the limit",
    evidence: check.largest.map(({ size, command }) => `${formatSize(size)} ${command}`.trim()),
  });
}

function overBudget({ bytes, maxSize }: SizeCheck): string {
  if (maxSize === undefined || bytes <= maxSize) return "";
  return `${formatSize(bytes)} compressed (${bytes} bytes), and \`max-size\` is ${formatSize(maxSize)} (${maxSize} bytes)`;
}

function overGrowth({ bytes, maxGrowth, former }: SizeCheck): string {
  if (maxGrowth === undefined || !former || former.bytes === 0) return "";
  // In whole numbers: 10 % of an odd size must not depend on rounding.
  if (bytes * 100 <= former.bytes * (100 + maxGrowth)) return "";
  const percent = ((bytes / former.bytes - 1) * 100).toFixed(1);
  return `it grew by ${percent} % from ${formatSize(former.bytes)} (${former.name}) to ${formatSize(bytes)}, and \`max-growth\` is ${maxGrowth}%`;
}
