import { createHash, createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

const PREFIX = "/twirp/github.actions.results.api.v1.ArtifactService/";

/** The fields that each message has; a strict decoder refuses any other. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  CreateArtifact: ["workflow_run_backend_id", "workflow_job_run_backend_id", "name", "expires_at", "version"],
  FinalizeArtifact: ["workflow_run_backend_id", "workflow_job_run_backend_id", "name", "size", "hash"],
  ListArtifacts: ["workflow_run_backend_id", "workflow_job_run_backend_id", "name_filter", "id_filter"],
  GetSignedArtifactURL: ["workflow_run_backend_id", "workflow_job_run_backend_id", "name"],
};

/** A request as it came. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly bytes: number;
}

/**
 * act's artifact server as of 0.2.89, in memory: unknown fields are a 500 with
 * an empty body, signatures are checked with their padding, blocks are appended
 * in the order they come, a listing of an unknown run drops the connection.
 */
export class ActArtifactServer {
  /** Artifacts as stored: ZIP files. */
  readonly files = new Map<string, Buffer>();
  readonly seen: Seen[] = [];
  private readonly key = randomBytes(4);
  private readonly server: Server;
  private readonly kind: "act" | "github";
  private port = 0;

  /** `github` takes the field that act refuses, digests and all: what GitHub's own client sends. */
  constructor(kind: "act" | "github" = "act") {
    this.kind = kind;
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  /** Starts on a free port and returns the environment of a step that uses it. */
  async start(runId = "1"): Promise<Readonly<Record<string, string>>> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const address = this.server.address();
    this.port = typeof address === "object" && address ? address.port : 0;
    const claims = Buffer.from(JSON.stringify({ scp: `Actions.Results:${runId}:${runId}` })).toString(
      "base64url",
    );
    return {
      ...(this.kind === "act" ? { ACT: "true" } : {}),
      ACTIONS_RESULTS_URL: `http://127.0.0.1:${this.port}/`,
      ACTIONS_RUNTIME_TOKEN: `e30.${claims}.c2ln`,
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? "/", "http://x");
    const method = url.pathname.startsWith(PREFIX) ? url.pathname.slice(PREFIX.length) : "";
    this.seen.push({ method: request.method ?? "", path: method, bytes: body.length });
    if (request.method === "PUT" && method === "UploadArtifact") return this.upload(url, body, response);
    if (request.method === "GET" && method === "DownloadArtifact") return this.download(url, response);
    if (request.method === "POST") return this.call(method, body, request, response);
    response.writeHead(404).end();
  }

  private call(method: string, body: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const known = FIELDS[method];
    const message = known && decode(body);
    const isStrange =
      !message || Object.keys(message).some((field) => !known.includes(field) && this.kind === "act");
    if (isStrange) return void response.writeHead(500).end();
    const run = String(message["workflow_run_backend_id"]);
    if (!/^\d+$/.test(run)) return void response.writeHead(400).end();
    const answer = this.answerTo(method, run, message);
    if (answer === undefined) request.socket.destroy();
    else json(response, answer);
  }

  /** The answer's body; undefined where act panics. */
  private answerTo(method: string, run: string, message: Record<string, unknown>): object | undefined {
    const name = String(message["name"] ?? "");
    if (method === "CreateArtifact") {
      this.files.set(`${run}/${name}`, Buffer.alloc(0));
      return { ok: true, signedUploadUrl: this.sign("UploadArtifact", run, name) };
    }
    if (method === "FinalizeArtifact") return { ok: true, artifactId: "42" };
    if (method === "GetSignedArtifactURL") return { signedUrl: this.sign("DownloadArtifact", run, name) };
    const all = [...this.files.keys()].filter((file) => file.startsWith(`${run}/`));
    if (all.length === 0) return undefined;
    const names = all.map((file) => file.slice(run.length + 1));
    const filter = message["name_filter"];
    const artifacts = names
      .filter((one) => filter === undefined || one === filter)
      .map((one) => ({ name: one, ...this.described(run, one) }));
    return artifacts.length > 0 ? { artifacts } : {};
  }

  /** What GitHub tells of an artifact and act does not. */
  private described(run: string, name: string): object {
    if (this.kind === "act") return {};
    const file = this.files.get(`${run}/${name}`) ?? Buffer.alloc(0);
    const digest = `sha256:${createHash("sha256").update(file).digest("hex")}`;
    const ids = { workflow_run_backend_id: run, workflow_job_run_backend_id: run };
    return {
      ...ids,
      database_id: "42",
      size: String(file.length),
      digest,
      created_at: "2026-01-01T00:00:00Z",
    };
  }

  private upload(url: URL, body: Buffer, response: ServerResponse): void {
    const key = this.verify("UploadArtifact", url);
    if (key === undefined) return void response.writeHead(401).end();
    const what = url.searchParams.get("comp");
    if (what === "block") this.files.set(key, Buffer.concat([this.files.get(key) ?? Buffer.alloc(0), body]));
    // A whole file in one request is taken by GitHub's storage; act does nothing and answers 200.
    const isWhole = what === null && this.kind === "github";
    if (isWhole) this.files.set(key, body);
    response.writeHead(what === null && !isWhole ? 200 : 201).end();
  }

  private download(url: URL, response: ServerResponse): void {
    const key = this.verify("DownloadArtifact", url);
    const file = key === undefined ? undefined : this.files.get(key);
    if (!file) return void response.writeHead(401).end();
    response.writeHead(200, { "Content-Type": "application/zip" }).end(file);
  }

  private sign(endpoint: string, run: string, name: string): string {
    const query = `artifactName=${encodeURIComponent(name)}&taskID=${run}`;
    const signature = encodeURIComponent(this.signature(endpoint, run, name)).replaceAll("%3D", "=");
    return `http://127.0.0.1:${this.port}${PREFIX}${endpoint}?sig=${signature}&${query}`;
  }

  private verify(endpoint: string, url: URL): string | undefined {
    const [run, name] = [url.searchParams.get("taskID") ?? "", url.searchParams.get("artifactName") ?? ""];
    const [given, wanted] = [url.searchParams.get("sig") ?? "", this.signature(endpoint, run, name)];
    // act refuses a signature without its padding, which GitHub's client takes off.
    const isSigned = given === wanted || (this.kind === "github" && given === wanted.replace(/=+$/, ""));
    return isSigned ? `${run}/${name}` : undefined;
  }

  private signature(endpoint: string, run: string, name: string): string {
    const digest = createHmac("sha256", this.key).update(`${endpoint}${name}${run}`).digest("base64");
    return digest.replaceAll("+", "-").replaceAll("/", "_");
  }
}

function decode(body: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body.toString("utf8")) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function json(response: ServerResponse, value: object): void {
  response.writeHead(200, { "Content-Type": "application/json;charset=utf-8" }).end(JSON.stringify(value));
}
