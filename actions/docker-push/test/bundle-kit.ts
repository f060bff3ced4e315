import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  engineProblem,
  importBase,
  type RunningEngine,
  startDockerEngine,
} from "../../../lib/testing/docker-engine.ts";
import { hasRegistry, startRegistry, type TestRegistry } from "../../../lib/testing/registry.ts";
import { type FaultProxy, startFaultProxy } from "../../../lib/testing/registry-faults.ts";
import { FakeRunner, type RunningStep, type StepResult } from "../../../lib/testing/runner.ts";

/** Why the flow cannot be run for real here, "" when it can. */
export const SITE_PROBLEM = engineProblem() ?? (hasRegistry() ? "" : "docker-registry is not installed");

/** An engine and a registry, both real. */
export interface Site {
  readonly engine: RunningEngine;
  readonly registry: TestRegistry;
  /** Jobs whose folders go with the site. */
  readonly runners: FakeRunner[];
  stop(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  const registry = await startRegistry();
  const engine = await startDockerEngine();
  const runners: FakeRunner[] = [];
  return {
    engine,
    registry,
    runners,
    stop: async () => {
      for (const runner of runners) runner.dispose();
      await engine.stop();
      await registry.stop();
    },
  };
}

/** A site whose engine has a base image, and whose registry can be reached through a proxy that breaks. */
export interface FaultySite extends Site {
  readonly proxy: FaultProxy;
}

export async function openFaultySite(): Promise<FaultySite> {
  const site = await openSite();
  importBase(site.engine);
  const proxy = await startFaultProxy(site.registry.origin);
  const stop = async () => {
    await proxy.stop();
    await site.stop();
  };
  return { ...site, proxy, stop };
}

/** One repository with its commits, pushed by one job. */
export class Project {
  readonly runner: FakeRunner;
  readonly site: Site;
  readonly image: string;
  private readonly host: string;
  private readonly path: string;

  /** Registry as the run names it: a proxy may stand in front of it. */
  constructor(site: Site, name: string, host = site.registry.host) {
    this.site = site;
    this.runner = new FakeRunner({ ...site.engine.env });
    site.runners.push(this.runner);
    this.host = host;
    this.image = `${host}/${name}`;
    this.path = name;
    this.git("init", "--quiet", "--initial-branch=main");
    this.write("Dockerfile", "FROM scratch\nCOPY app.txt /app.txt\n");
    this.commit("one");
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.runner.workspace, name), text);
  }

  /** Commits an app of this content, and gives the commit this tag. */
  commit(content: string, tag = ""): void {
    this.write("app.txt", content);
    this.git("add", ".");
    this.git("commit", "--quiet", "--allow-empty", "-m", content);
    if (tag !== "") this.git("tag", tag);
  }

  /** What the runner says of the current commit. */
  commitEnv(ref = "refs/heads/main"): Record<string, string> {
    const name = ref.replace(/^refs\/[^/]+\//, "");
    return { GITHUB_SHA: this.git("rev-parse", "HEAD"), GITHUB_REF: ref, GITHUB_REF_NAME: name };
  }

  inputs(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const { username, password } = this.site.registry;
    return { images: this.image, registry: this.host, username, password, ...more };
  }

  start(
    more: Readonly<Record<string, string>> = {},
    env: Readonly<Record<string, string>> = {},
  ): RunningStep {
    return this.runner.start("docker-push", this.inputs(more), { env: { ...this.commitEnv(), ...env } });
  }

  async run(
    more: Readonly<Record<string, string>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<StepResult> {
    return this.start(more, env).result;
  }

  async post(main: Pick<StepResult, "state">): Promise<StepResult> {
    return this.runner.post("docker-push", main, this.inputs(), { env: this.commitEnv() });
  }

  /** Folders of the step's own that are still there. */
  leftovers(): string[] {
    return readdirSync(this.runner.temp).filter((name) => name !== "goci");
  }

  /** An event's payload as the runner hands it over. */
  event(payload: unknown): Record<string, string> {
    const path = join(this.runner.root, "event.json");
    writeFileSync(path, JSON.stringify(payload));
    return { GITHUB_EVENT_PATH: path };
  }

  /** The manifest or index that the registry serves for a tag or a digest. */
  async manifest(reference: string): Promise<unknown> {
    return JSON.parse(((await this.fetchManifest(reference)) ?? Buffer.from("null")).toString());
  }

  /** Digest of the manifest that the registry serves for a tag, computed from its bytes; undefined for no tag. */
  async served(tag: string): Promise<string | undefined> {
    const bytes = await this.fetchManifest(tag);
    return bytes && `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  }

  private async fetchManifest(reference: string): Promise<Buffer | undefined> {
    const { registry } = this.site;
    const accept = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"];
    const answer = await registry.fetch(`/v2/${this.path}/manifests/${reference}`, {
      headers: { accept: accept.join(", ") },
    });
    if (answer.status === 404) return undefined;
    return Buffer.from(await answer.arrayBuffer());
  }

  /** Writing requests that the registry saw since the mark. */
  writesSince(mark: number): string[] {
    const lines = this.site.registry.accessLog().slice(mark);
    const writes = lines.filter(({ method }) => ["PUT", "POST", "PATCH", "DELETE"].includes(method));
    return writes.map(({ method }) => method);
  }

  mark(): number {
    return this.site.registry.accessLog().length;
  }

  git(...args: string[]): string {
    const who = ["-c", "user.name=Dev", "-c", "user.email=dev@example.test", "-c", "commit.gpgsign=false"];
    const env = {
      ...process.env,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_DATE: "2026-01-02T03:04:05Z",
      GIT_COMMITTER_DATE: "2026-01-02T03:04:05Z",
    };
    return execFileSync("git", [...who, ...args], {
      cwd: this.runner.workspace,
      encoding: "utf8",
      env,
    }).trim();
  }
}
