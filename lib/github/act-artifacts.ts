import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  artifactNotFound,
  downloadFailed,
  type RawStore,
  type UploadedArtifact,
  uploadFailed,
} from "./artifact-store.ts";
import { sha256File } from "./digest.ts";
import { extractZip, writeZip } from "./zip.ts";

const SERVICE = "twirp/github.actions.results.api.v1.ArtifactService";
/** GitHub's own block size; act appends blocks in the order they arrive, so they go one after the other. */
const BLOCK_BYTES = 8 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Client of the artifact server that act runs (`--artifact-server-path`), as of
 * act 0.2.89. It speaks protocol version 4 without the fields that act's strict
 * decoder refuses (`mime_type`), and leaves the signed address untouched, since
 * act checks a signature with its base64 padding.
 * https://github.com/nektos/act/blob/v0.2.89/pkg/artifacts/artifacts_v4.go
 */
export class ActArtifactStore implements RawStore {
  readonly kind = "act";
  private readonly base: string;
  private readonly token: string;
  private readonly signal: AbortSignal | undefined;

  constructor(resultsUrl: string, token: string, signal?: AbortSignal) {
    this.base = resultsUrl.replace(/\/+$/, "");
    this.token = token;
    this.signal = signal;
  }

  async upload(name: string, root: string, files: readonly string[]): Promise<UploadedArtifact> {
    const folder = await mkdtemp(join(tmpdir(), "goci-artifact-"));
    try {
      const zip = join(folder, "artifact.zip");
      await writeZip(zip, root, files);
      const ids = this.backendIds();
      const created = await this.call("CreateArtifact", { ...ids, name, version: 4 });
      await this.putBlocks(readText(created, "signed_upload_url", "signedUploadUrl"), zip);
      const size = (await stat(zip)).size;
      const done = await this.call("FinalizeArtifact", {
        ...ids,
        name,
        size: String(size),
        hash: await sha256File(zip),
      });
      return { id: readText(done, "artifact_id", "artifactId"), url: "", size };
    } catch (error) {
      this.signal?.throwIfAborted();
      throw uploadFailed(name, error);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async fetchInto(name: string, folder: string): Promise<void> {
    const ids = this.backendIds();
    // act drops the connection instead of answering when the run has no artifact at all.
    const listed = await this.call("ListArtifacts", { ...ids, name_filter: name }).catch(() => undefined);
    const list = listed?.["artifacts"];
    if (!Array.isArray(list) || list.length === 0) throw artifactNotFound(name);
    const temporary = await mkdtemp(join(tmpdir(), "goci-artifact-"));
    try {
      const signed = await this.call("GetSignedArtifactURL", { ...ids, name });
      const zip = join(temporary, "artifact.zip");
      await this.save(readText(signed, "signed_url", "signedUrl"), zip);
      await extractZip(zip, folder);
    } catch (error) {
      this.signal?.throwIfAborted();
      throw downloadFailed(name, error);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  private async putBlocks(url: string, file: string): Promise<void> {
    const handle = await open(file, "r");
    try {
      const buffer = Buffer.alloc(BLOCK_BYTES);
      for (let index = 0; ; index++) {
        const { bytesRead } = await handle.read(buffer, 0, BLOCK_BYTES);
        if (bytesRead === 0) break;
        const id = encodeURIComponent(Buffer.from(String(index).padStart(6, "0")).toString("base64"));
        await this.put(`${url}&comp=block&blockid=${id}`, buffer.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
    await this.put(`${url}&comp=blocklist`, Buffer.from("<BlockList/>"));
  }

  private async put(url: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const answer = await fetch(url, { method: "PUT", body, signal: this.limit() });
    await answer.arrayBuffer();
    if (answer.status !== 201) throw new Error(`the artifact server answered ${answer.status} to a block`);
  }

  private async save(url: string, file: string): Promise<void> {
    const answer = await fetch(url, { signal: this.limit() });
    if (answer.status !== 200 || !answer.body)
      throw new Error(`the artifact server answered ${answer.status}`);
    const handle = await open(file, "w", 0o600);
    try {
      for await (const chunk of answer.body) await handle.writeFile(chunk);
    } finally {
      await handle.close();
    }
  }

  private async call(method: string, body: object): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.base}/${SERVICE}/${method}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${this.token}` },
      body: JSON.stringify(body),
      signal: this.limit(),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the artifact server answered ${answer.status} to ${method}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  private limit(): AbortSignal {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    return this.signal ? AbortSignal.any([this.signal, timeout]) : timeout;
  }

  /** Run and job as the token's scope names them: `Actions.Results:<run>:<job>`. */
  private backendIds(): { workflow_run_backend_id: string; workflow_job_run_backend_id: string } {
    const scope = /\bActions\.Results:([^:\s]+):([^:\s]+)/.exec(scopeOf(this.token));
    if (!scope) throw new Error("ACTIONS_RUNTIME_TOKEN names no run (`Actions.Results` scope)");
    return { workflow_run_backend_id: scope[1] ?? "", workflow_job_run_backend_id: scope[2] ?? "" };
  }
}

function scopeOf(token: string): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    const scope = (claims as Record<string, unknown> | null)?.["scp"];
    return typeof scope === "string" ? scope : "";
  } catch {
    return "";
  }
}

function readText(answer: Record<string, unknown>, ...names: string[]): string {
  for (const name of names) {
    const value = answer[name];
    if (typeof value === "string" || typeof value === "number") return String(value);
  }
  throw new Error(`the artifact server's answer lacks ${names[0] ?? "a field"}`);
}
