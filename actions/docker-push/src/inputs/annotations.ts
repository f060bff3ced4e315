import type { InputReader } from "../../../../lib/inputs.ts";
import type { Annotation } from "./model.ts";

const LEVELS = ["manifest", "index", "manifest-descriptor", "index-descriptor"] as const;

/** Reads the `annotations` input as buildx does: `[level[platform][,level...]:]key=value`, one a line. */
export function readAnnotations(read: InputReader, platforms: readonly string[]): Annotation[] {
  return read.list("annotations").flatMap((line) => {
    const parsed = parseAnnotation(line);
    if (typeof parsed === "string") {
      read.problem(`\`annotations\`: \`${line}\` ${parsed}`);
      return [];
    }
    for (const { level, platform } of parsed) {
      if (level !== "manifest" && platforms.length < 2)
        read.problem(
          `\`annotations\`: \`${line}\` is about an index, which only an image of several \`platforms\` has`,
        );
      if (platform !== "" && platforms.length > 0 && !platforms.includes(platform))
        read.problem(
          `\`annotations\`: \`${line}\` is about \`${platform}\`, which is not among \`platforms\``,
        );
    }
    return parsed;
  });
}

/** The annotations of one line, or what is wrong with it. */
export function parseAnnotation(line: string): Annotation[] | string {
  const found = /^(?:([a-z-]+(?:\[[^\]]*\])?(?:,[a-z-]+(?:\[[^\]]*\])?)*):)?([^=\s]+)=(.*)$/s.exec(line);
  if (!found) return "is not `key=value` or `manifest:key=value`";
  const [, places = "manifest", key = "", value = ""] = found;
  const annotations: Annotation[] = [];
  for (const place of places.split(/,(?![^[]*\])/)) {
    const [, name, platform = ""] = /^([a-z-]+)(?:\[([^\]]*)\])?$/.exec(place) ?? [];
    const level = LEVELS.find((known) => known === name);
    if (!level)
      return `is about \`${place}\`: allowed are ${LEVELS.map((known) => `\`${known}\``).join(", ")}`;
    annotations.push({ level, platform, key, value });
  }
  return annotations;
}
