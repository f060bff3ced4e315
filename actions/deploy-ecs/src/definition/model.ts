import type { JsonObject } from "../../../../lib/aws/call.ts";

export type { JsonObject };

/**
 * A task definition as RegisterTaskDefinition takes it: `tags` included, the members that ECS sets by itself
 * left out. What goci does not know passes through.
 */
export type Definition = JsonObject;

/** One registered revision, as DescribeTaskDefinition tells it. */
export interface Revision {
  /** The full ARN, revision number included. */
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  /** False for INACTIVE and DELETE_IN_PROGRESS: such a revision cannot be deployed any more. */
  readonly active: boolean;
  readonly registeredBy: string;
  readonly definition: Definition;
}

/** Where the task definition comes from. */
export type DefinitionSource =
  /** The revision that the service runs now. */
  | { readonly kind: "running" }
  /** A file, read and checked; `path` is as the user wrote it. */
  | { readonly kind: "file"; readonly path: string; readonly definition: Definition }
  /** The latest ACTIVE revision of a family; `name` goes to DescribeTaskDefinition as it is. */
  | { readonly kind: "family"; readonly name: string }
  /** `family:revision` or a full ARN; `name` goes to DescribeTaskDefinition as it is. */
  | { readonly kind: "revision"; readonly name: string };

/** One `KEY=value` of `environment-variables` or `secrets`. */
export interface Assignment {
  /** "" for the containers of `container-name`. */
  readonly container: string;
  readonly key: string;
  /** A secret in `environment-variables`; an ARN or parameter name in `secrets`. */
  readonly value: string;
}

/** What the inputs change in a task definition. All empty: nothing. */
export interface Edits {
  /** Names of `container-name`; none: the default rule of `defaultContainers`. */
  readonly containers: readonly string[];
  /** "" leaves it. */
  readonly image: string;
  readonly images: ReadonlyMap<string, string>;
  readonly environment: readonly Assignment[];
  readonly secrets: readonly Assignment[];
  readonly remove: readonly { readonly container: string; readonly key: string }[];
  readonly mode: "merge" | "replace";
  readonly command: readonly string[] | undefined;
  readonly patch: JsonObject | undefined;
}

/** A container and its image, as the task definition names them. */
export interface ContainerImage {
  readonly container: string;
  readonly image: string;
}

/** One difference between two task definitions; holds no value of an environment variable. */
export interface Difference {
  /** For people: `container app: environment DB_URL changed`. */
  readonly text: string;
  /** Path of the member, containers by name: `containerDefinitions.app.environment.DB_URL`. */
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
}

/** What is to be done about the task definition. */
export type DefinitionPlan =
  /** This revision already is what is wanted: nothing is registered. */
  | {
      readonly kind: "use";
      readonly arn: string;
      readonly definition: Definition;
      /** `sha256:...` of the canonical form. */
      readonly digest: string;
      readonly differences: readonly Difference[];
      readonly warnings: readonly string[];
    }
  /** `definition` is to be registered; `differences` are those from what runs now. */
  | {
      readonly kind: "register";
      readonly definition: Definition;
      readonly digest: string;
      readonly differences: readonly Difference[];
      readonly warnings: readonly string[];
    }
  /** The inputs do not fit the task definition: `BAD_INPUT`, one entry for each problem. */
  | { readonly kind: "refused"; readonly problems: readonly string[] };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Array.isArray does not narrow readonly arrays. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** The text of a member, "" when it is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The containers of a definition, those that are objects. */
export function containersOf(definition: Definition): readonly JsonObject[] {
  const list = definition["containerDefinitions"];
  return isList(list) ? list.filter((item) => isObject(item)) : [];
}

/** Names of all containers, in order. */
export function containerNames(definition: Definition): readonly string[] {
  return containersOf(definition).map((container) => textOf(container["name"]));
}

/** A task definition with the edits, or every reason why they do not fit it. */
export type Rendered =
  | { readonly kind: "rendered"; readonly definition: Definition }
  | { readonly kind: "refused"; readonly problems: readonly string[] };
