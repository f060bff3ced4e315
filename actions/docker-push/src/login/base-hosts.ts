import { parseDockerfile } from "../engine/dockerfile.ts";
import { parseRepository } from "../registry/names.ts";

/** Where a build pulls from. */
export interface BaseHosts {
  readonly hosts: readonly string[];
  /** An image is named by a variable whose value only the engine knows: it may be anywhere. */
  readonly elsewhere: boolean;
}

/**
 * The registries that a build pulls from: what FROM, COPY --from and mounts
 * name, the syntax line, and contexts that are images. Variables count with the
 * build arguments given and the defaults above the first FROM.
 */
export function baseHosts(
  dockerfile: string,
  args: ReadonlyMap<string, string>,
  contexts: ReadonlyMap<string, string>,
): BaseHosts {
  const values = new Map<string, string>();
  const stages = new Set([...contexts.keys()].map((name) => name.toLowerCase()));
  const names = [...contexts.values()].filter((value) => value.startsWith("docker-image://"));
  const images = names.map((value) => value.slice("docker-image://".length));
  const syntax = /^(?:#[^\n]*\n)*?#\s*syntax\s*=\s*(\S+)/i.exec(dockerfile.replace(/^\uFEFF/, ""))?.[1];
  if (syntax !== undefined) images.push(syntax);
  for (const { keyword, text } of parseDockerfile(dockerfile)) {
    const words = text.split(" ").slice(1);
    const plain = words.filter((word) => !word.startsWith("--"));
    if (keyword === "ARG") {
      for (const word of plain) setArgument(word, args, values);
    } else if (keyword === "FROM") {
      images.push(...pulled(plain[0], stages, values));
      if (plain[1]?.toUpperCase() === "AS") stages.add((plain[2] ?? "").toLowerCase());
    } else if (keyword === "COPY") {
      const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
      images.push(...pulled(from, stages, values));
    } else if (keyword === "RUN") {
      const mounts = words.filter((word) => word.startsWith("--mount=")).flatMap((word) => word.split(","));
      const from = mounts
        .filter((part) => part.startsWith("from="))
        .map((part) => part.slice("from=".length));
      images.push(...from.flatMap((image) => pulled(image, stages, values)));
    }
  }
  const [unknown, known] = [images.filter(isUnknown), images.filter((image) => !isUnknown(image))];
  return { hosts: [...new Set(known.flatMap(hostOf))], elsewhere: unknown.length > 0 };
}

function isUnknown(image: string): boolean {
  return image.includes("$");
}

function setArgument(word: string, args: ReadonlyMap<string, string>, values: Map<string, string>): void {
  const [name = "", ...rest] = word.split("=");
  const value = args.get(name) ?? rest.join("=").replace(/^(["'])(.*)\1$/, "$2");
  if (args.has(name) || rest.length > 0) values.set(name, value);
}

/** The image, unless it is a stage (by name or number) or nothing. */
function pulled(
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
  return isStage || image === "scratch" || image === "" ? [] : [image];
}

function hostOf(image: string): string[] {
  const name = image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  const parsed = parseRepository(name);
  return "repository" in parsed ? [parsed.repository.registry] : [];
}
