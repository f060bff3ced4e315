import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure, RemoteError } from "../errors.ts";
import type { GitHubContext } from "../github-context.ts";
import type { Log } from "../log.ts";
import type { ActArtifactStore } from "./act-artifacts.ts";
import {
  type ArtifactStore,
  artifactNotFound,
  type DownloadedArtifact,
  downloadFailed,
  type RawStore,
  type UploadedArtifact,
  type UploadOptions,
  uploadFailed,
} from "./artifact-store.ts";
import { sha256File } from "./digest.ts";

/** What the choice of a store is made from. */
export interface StorePorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly github: GitHubContext;
  readonly log: Log;
  readonly signal?: AbortSignal;
}

/**
 * The store of this runner: none without ACTIONS_RUNTIME_TOKEN and
 * ACTIONS_RESULTS_URL, a client of our own under act (whose server refuses
 * fields that GitHub's client sends), else GitHub's.
 */
export function openArtifactStore(ports: StorePorts): ArtifactStore {
  const url = ports.env["ACTIONS_RESULTS_URL"];
  const token = ports.env["ACTIONS_RUNTIME_TOKEN"];
  if (!url || !token) return verified(new NoStore(ports.log));
  if (ports.env["ACT"] === "true") return verified(new ActStore(url, token, ports.signal));
  return verified(new GitHubArtifactStore(ports));
}

function verified(store: RawStore): ArtifactStore {
  return {
    kind: store.kind,
    upload: async (name, root, files, options) => store.upload(assertName(name), root, files, options),
    download: async (name, folder, expected) => {
      await store.fetchInto(assertName(name), folder);
      return describe(name, folder, expected);
    },
  };
}

async function describe(name: string, folder: string, expected?: string): Promise<DownloadedArtifact> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length).replace(/^\/+/, ""))
    .sort();
  const only = files.length === 1 ? files[0] : undefined;
  const digest = only === undefined ? "" : await sha256File(join(folder, only));
  if (expected && digest !== expected) {
    throw new Failure(
      `the artifact \`${name}\` is not the one expected: ${digest || `${files.length} files`}, expected ${expected}`,
      {
        code: "ARTIFACT_MISMATCH",
        fix: "pass the digest output of the very run that made the artifact",
      },
    );
  }
  return { path: only === undefined ? folder : join(folder, only), digest, files };
}

/** Names that the store refuses: https://github.com/actions/toolkit/blob/main/packages/artifact/src/internal/upload/path-and-artifact-name-validation.ts */
const FORBIDDEN = /["*/:<>?\\|\r\n]/g;

/** The text as an artifact name: what the store refuses becomes `-`. */
export function artifactNameOf(text: string): string {
  return text.replace(FORBIDDEN, "-").slice(0, 200) || "artifact";
}

function assertName(name: string): string {
  if (name !== "" && artifactNameOf(name) === name) return name;
  throw new Failure(`\`${name}\` cannot be the name of an artifact`, {
    code: "BAD_INPUT",
    fix: 'leave out the characters " * / : < > ? \\ | and line ends, and keep to 200 characters',
  });
}

/** Without a store the files stay where they are. */
class NoStore implements RawStore {
  readonly kind = "none";
  private readonly log: Log;

  constructor(log: Log) {
    this.log = log;
  }

  async upload(name: string): Promise<UploadedArtifact> {
    this.log.info(
      `artifact ${name}: this machine has no artifact store, so it stays local (under act: --artifact-server-path)`,
    );
    return { id: "", url: "", size: 0 };
  }

  async fetchInto(name: string): Promise<void> {
    throw new RemoteError(
      `the artifact \`${name}\` cannot be downloaded: this machine has no artifact store`,
      {
        code: "ARTIFACT_NOT_FOUND",
        fix: "run on GitHub, or under act with --artifact-server-path",
      },
    );
  }
}

/** The client for act's server, loaded only when it is used. */
class ActStore implements RawStore {
  readonly kind = "act";
  private readonly open: () => Promise<ActArtifactStore>;

  constructor(url: string, token: string, signal?: AbortSignal) {
    this.open = async () => new (await import("./act-artifacts.ts")).ActArtifactStore(url, token, signal);
  }

  async upload(name: string, root: string, files: readonly string[]): Promise<UploadedArtifact> {
    return (await this.open()).upload(name, root, files);
  }

  async fetchInto(name: string, folder: string): Promise<void> {
    await (await this.open()).fetchInto(name, folder);
  }
}

/** GitHub's own client, loaded only when it is used: it is larger than the rest of an action. */
class GitHubArtifactStore implements RawStore {
  readonly kind = "github";
  private readonly ports: StorePorts;

  constructor(ports: StorePorts) {
    this.ports = ports;
  }

  async upload(
    name: string,
    root: string,
    files: readonly string[],
    options: UploadOptions,
  ): Promise<UploadedArtifact> {
    const { DefaultArtifactClient } = await import("@actions/artifact");
    try {
      const answer = await new DefaultArtifactClient().uploadArtifact(
        name,
        files.map((file) => join(root, file)),
        root,
        // One archive that is compressed already gains nothing from a second deflate.
        { retentionDays: options.retentionDays, compressionLevel: files.length === 1 ? 0 : 6 },
      );
      const id = answer.id === undefined ? "" : String(answer.id);
      const page = this.ports.github.runUrl;
      return { id, url: id && page ? `${page}/artifacts/${id}` : "", size: answer.size ?? 0 };
    } catch (error) {
      throw uploadFailed(name, error);
    }
  }

  async fetchInto(name: string, folder: string): Promise<void> {
    const { ArtifactNotFoundError, DefaultArtifactClient } = await import("@actions/artifact");
    const client = new DefaultArtifactClient();
    try {
      const { artifact } = await client.getArtifact(name);
      const options = artifact.digest ? { path: folder, expectedHash: artifact.digest } : { path: folder };
      const { digestMismatch } = await client.downloadArtifact(artifact.id, options);
      if (digestMismatch) throw new Error(`what arrived does not have the digest ${artifact.digest ?? ""}`);
    } catch (error) {
      const isMissing = error instanceof ArtifactNotFoundError;
      throw isMissing ? artifactNotFound(name, error) : downloadFailed(name, error);
    }
  }
}
