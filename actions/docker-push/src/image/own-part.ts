import type { HistoryStep, ImageConfig } from "./model.ts";

/** What a build put onto its base image: so many of the last steps and of the last layers. */
export interface OwnPart {
  readonly steps: number;
  readonly layers: number;
}

const NOTHING: OwnPart = { steps: 0, layers: 0 };

/**
 * Tells the build's own layers from its base image's by the history, whose last
 * entries stand for the steps of the Dockerfile. Nothing where the two do not
 * fit: then nobody knows which layers a registry may have already.
 */
export function ownPart(config: ImageConfig, steps: readonly string[]): OwnPart {
  const history = config.history ?? [];
  const withLayer = (items: readonly HistoryStep[]) =>
    items.filter((item) => item.empty_layer !== true).length;
  const own = history.slice(Math.max(0, history.length - steps.length));
  if (own.length !== steps.length || withLayer(history) !== config.rootfs.diff_ids.length) return NOTHING;
  if (!own.every((item, index) => isStep(item, steps[index] ?? ""))) return NOTHING;
  return { steps: own.length, layers: withLayer(own) };
}

/** The classic builder and buildah mark what is no RUN by `#(nop)`; BuildKit writes every keyword. */
function isStep({ created_by: text = "" }: HistoryStep, keyword: string): boolean {
  const marked = /#\(nop\)\s+(\S+)/.exec(text)?.[1];
  if (marked !== undefined) return marked.toUpperCase() === keyword;
  return keyword === "RUN" || text.trimStart().toUpperCase().startsWith(`${keyword} `);
}
