import { parseDockerfile } from "../engine/dockerfile.ts";
import { parseRepository } from "../registry/names.ts";

/**
 * The registries that a build pulls from: what FROM and COPY --from name, and
 * contexts that are images. Variables count with the build arguments given and
 * the defaults above the first FROM; a name that stays unknown is left out.
 */
export function baseHosts(
  dockerfile: string,
  args: ReadonlyMap<string, string>,
  contexts: ReadonlyMap<string, string>,
): string[] {
  const values = new Map<string, string>();
  const stages = new Set([...contexts.keys()].map((name) => name.toLowerCase()));
  const names = [...contexts.values()].filter((value) => value.startsWith("docker-image://"));
  const images = names.map((value) => value.slice("docker-image://".length));
  for (const { keyword, text } of parseDockerfile(dockerfile)) {
    const words = text.split(" ").slice(1);
    const plain = words.filter((word) => !word.startsWith("--"));
    if (keyword === "ARG") {
      for (const word of plain) setArgument(word, args, values);
    } else if (keyword === "FROM") {
      images.push(...known(plain[0], stages, values));
      if (plain[1]?.toUpperCase() === "AS") stages.add((plain[2] ?? "").toLowerCase());
    } else if (keyword === "COPY") {
      const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
      images.push(...known(from, stages, values));
    }
  }
  return [...new Set(images.flatMap(hostOf))];
}

function setArgument(word: string, args: ReadonlyMap<string, string>, values: Map<string, string>): void {
  const [name = "", ...rest] = word.split("=");
  const value = args.get(name) ?? rest.join("=").replace(/^(["'])(.*)\1$/, "$2");
  if (args.has(name) || rest.length > 0) values.set(name, value);
}

/** The image, unless it is a stage (by name or number), nothing, or not known. */
function known(
  word: string | undefined,
  stages: ReadonlySet<string>,
  values: ReadonlyMap<string, string>,
): string[] {
  if (word === undefined) return [];
  const image = word.replace(
    /\$(?:\{(\w+)(?::?[-+]([^}]*))?\}|(\w+))/g,
    (whole, braced: string | undefined, fallback: string | undefined, bare: string | undefined) =>
      values.get(braced ?? bare ?? "") || fallback || whole,
  );
  const isStage = stages.has(image.toLowerCase()) || /^\d+$/.test(image);
  return isStage || image.includes("$") || image === "scratch" || image === "" ? [] : [image];
}

function hostOf(image: string): string[] {
  const name = image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  const parsed = parseRepository(name);
  return "repository" in parsed ? [parsed.repository.registry] : [];
}
