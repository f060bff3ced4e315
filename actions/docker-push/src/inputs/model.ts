import type { Overwrite } from "../push/model.ts";
import type { Repository } from "../registry/names.ts";
import type { Flavor, Rule } from "../tags/rules.ts";

/** One login as given; the password is masked and held in memory only. */
export interface Login {
  /** The one spelling of its host, for example `docker.io`; never empty. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

/** Where the image goes and how the run may get in. */
export interface RegistryInputs {
  /** Each once; not empty when the inputs are good. */
  readonly images: readonly Repository[];
  readonly logins: readonly Login[];
  readonly ecr: boolean;
  readonly createRepository: boolean;
  readonly awsRegion: string;
}

/** One build secret: its value in memory, never on a command line. */
export interface BuildSecret {
  readonly id: string;
  readonly value: Buffer;
}

/** One annotation: where it is attached, and to which platform's manifest ("" is every one). */
export interface Annotation {
  readonly level: "manifest" | "index" | "manifest-descriptor" | "index-descriptor";
  readonly platform: string;
  readonly key: string;
  readonly value: string;
}

/** What the engine is asked to build. */
export interface BuildInputs {
  /** Absolute, links resolved. */
  readonly context: string;
  /** The Dockerfile, absolute, links resolved. */
  readonly file: string;
  readonly target: string;
  readonly args: ReadonlyMap<string, string>;
  readonly contexts: ReadonlyMap<string, string>;
  readonly platforms: readonly string[];
  readonly network: string;
  /** Bytes; 0 is the engine's default. */
  readonly shmSize: number;
  readonly ulimits: readonly string[];
  /** `name:address` lines. */
  readonly addHosts: readonly string[];
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly secrets: readonly BuildSecret[];
  /** `id` or `id=socket or key path[,path]`. */
  readonly ssh: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  /** Inputs `artifact-name`, `artifact-digest`, `artifact-path`: placed before required files are looked for. */
  readonly artifact: ArtifactInputs | undefined;
  readonly requiredFiles: readonly string[];
  readonly engine: "auto" | "buildx" | "buildkit" | "classic" | "buildah";
}

/** The artifact of an earlier job that the build context needs; undefined in the inputs when none is named. */
export interface ArtifactInputs {
  readonly name: string;
  /** `sha256:<hex>` that it must have; "" takes any. */
  readonly digest: string;
  /** Absolute folder that its files go to, inside the workspace. */
  readonly folder: string;
}

/** Where the image comes from. */
export type Source =
  | { readonly kind: "build" }
  | { readonly kind: "daemon"; readonly reference: string }
  | { readonly kind: "tar"; readonly path: string };

/** Which names the image gets. */
export interface TagInputs {
  readonly rules: readonly Rule[];
  readonly flavor: Flavor;
  readonly branchTags: ReadonlyMap<string, readonly string[]>;
  readonly overwrite: Overwrite;
}

/** Severities, the least first. */
export const SEVERITIES = ["negligible", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What an image must meet before a byte of it leaves the machine. */
export interface GateInputs {
  /** Bytes, compressed. */
  readonly maxSize: number | undefined;
  /** Percent of the former compressed size. */
  readonly maxGrowth: number | undefined;
  readonly scanSecrets: boolean;
  /** Absolute path of the scanner's report, "" for none. */
  readonly vulnerabilityReport: string;
  /** Words of the scanner's command line with `{image}` in it; empty for none. */
  readonly vulnerabilityCommand: readonly string[];
  readonly failOn: Severity | "none";
  readonly ignoreUnfixed: boolean;
  /** Absolute path, "" for none. */
  readonly ignoreFile: string;
}

/** Everything a run is told. */
export interface Inputs {
  readonly dryRun: boolean;
  /** Absolute working directory. */
  readonly root: string;
  readonly registry: RegistryInputs;
  readonly source: Source;
  readonly build: BuildInputs;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: readonly Annotation[];
  readonly tags: TagInputs;
  readonly gates: GateInputs;
  readonly push: boolean;
  readonly load: boolean;
  readonly reproducible: boolean;
  readonly sbom: boolean;
  readonly provenance: boolean;
  readonly preflight: boolean;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Every secret value that the run was given: what the image must not hold. */
  readonly secretValues: readonly string[];
}
