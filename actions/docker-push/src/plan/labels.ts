import type { GitHubContext } from "../../../../lib/github-context.ts";
import type { Annotation } from "../inputs/model.ts";
import type { Known } from "./repository.ts";

/** What the labels of an image are made from. */
export interface LabelGround {
  readonly github: Pick<GitHubContext, "repository" | "repositoryName">;
  /** Of the GitHub server, without a slash at its end. */
  readonly serverUrl: string;
  readonly known: Known;
  readonly version: string;
  /** The commit's time when the image is to be reproducible. */
  readonly created: Date;
}

/**
 * The eight labels of docker/metadata-action, those of the user over them.
 * https://github.com/opencontainers/image-spec/blob/main/annotations.md
 */
export function labelsOf(ground: LabelGround, own: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const { github, known, version, created } = ground;
  const page = known.event.htmlUrl || (github.repository ? `${ground.serverUrl}/${github.repository}` : "");
  const usual: readonly (readonly [string, string])[] = [
    ["created", created.toISOString()],
    ["description", known.event.description],
    ["licenses", known.event.license === "NOASSERTION" ? "" : known.event.license],
    ["revision", known.facts.sha],
    ["source", page],
    ["title", github.repositoryName],
    ["url", page],
    ["version", version],
  ];
  return new Map([
    ...usual.map(([name, value]) => [`org.opencontainers.image.${name}`, value] as const),
    ...own,
  ]);
}

/** Lines `key=value`. */
export function labelLines(labels: ReadonlyMap<string, string>): string {
  return [...labels].map(([name, value]) => `${name}=${value}`).join("\n");
}

/** The annotations of one platform's manifest. */
export function manifestAnnotations(
  annotations: readonly Annotation[],
  platform: string,
): ReadonlyMap<string, string> {
  return ofLevel(annotations, "manifest", platform);
}

/** The annotations of a level that are about a platform ("" for what is about no single one). */
export function ofLevel(
  annotations: readonly Annotation[],
  level: Annotation["level"],
  platform: string,
): ReadonlyMap<string, string> {
  return new Map(
    annotations
      .filter((item) => item.level === level && (item.platform === "" || item.platform === platform))
      .map(({ key, value }) => [key, value]),
  );
}
