import { expect } from "@jest/globals";
import { Failure } from "../../../lib/errors.ts";
import { startRegistry, type TestRegistry } from "../../../lib/testing/registry.ts";
import { type FaultProxy, startFaultProxy } from "../../../lib/testing/registry-faults.ts";
import type { PushJob } from "../src/push/model.ts";
import { push } from "../src/push/push.ts";
import { imageOf, jobOf, loginOf, portsFor, repositoryOf, type TestPorts, tagsOf } from "./push-kit.ts";

export const OLD = imageOf(["old"]);
export const NEW = imageOf(["new"]);
export const TAGS = ["1.1.0!", "1.1", "main", "latest"];
export const BEFORE = [undefined, undefined, OLD.manifest.digest, OLD.manifest.digest];
const AFTER = TAGS.map(() => NEW.manifest.digest);

/** How a push ended, and what it left. */
export interface Ended {
  readonly error: unknown;
  readonly ports: TestPorts;
}

/** A registry behind a proxy, with repositories whose `main` and `latest` name an old image. */
export class FaultSite {
  readonly registry: TestRegistry;
  readonly proxy: FaultProxy;
  private count = 0;

  private constructor(registry: TestRegistry, proxy: FaultProxy) {
    this.registry = registry;
    this.proxy = proxy;
  }

  static async open(withLogin: boolean): Promise<FaultSite> {
    const registry = await startRegistry({ open: !withLogin });
    const site = new FaultSite(registry, await startFaultProxy(registry.origin));
    const ports = site.ports();
    await push(jobOf(OLD, [`${registry.host}/fault/base`], []), ports);
    ports.close();
    return site;
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.registry.stop();
  }

  ports(): TestPorts {
    return portsFor(this.registry.username === "" ? undefined : loginOf(this.registry));
  }

  /** A repository of its own, and the job that sets all tags to the new image. */
  async prepared(): Promise<{ name: string; path: string; job: PushJob }> {
    const name = `${this.proxy.host}/fault/f${++this.count}`;
    const { path } = repositoryOf(name);
    // Straight to the registry, blobs taken over: there are hundreds of these.
    for (const { digest } of [...OLD.layers, OLD.config]) {
      await this.registry.fetch(`/v2/${path}/blobs/uploads/?mount=${digest}&from=fault/base`, {
        method: "POST",
      });
    }
    for (const tag of ["main", "latest"]) await this.put(path, tag, OLD);
    this.proxy.clear();
    return { name, path, job: jobOf(NEW, [name], tagsOf(...TAGS)) };
  }

  async put(path: string, tag: string, { manifest }: typeof OLD): Promise<void> {
    await this.registry.fetch(`/v2/${path}/manifests/${tag}`, {
      method: "PUT",
      headers: { "content-type": manifest.mediaType },
      body: new Uint8Array(manifest.bytes),
    });
  }

  /** What each of TAGS names now. */
  read(path: string): Promise<(string | undefined)[]> {
    return Promise.all(TAGS.map((tag) => this.registry.digestOf(path, tag.replace("!", ""))));
  }

  async ended(job: PushJob, ports = this.ports()): Promise<Ended> {
    try {
      await push(job, ports);
      return { error: undefined, ports };
    } catch (error) {
      return { error, ports };
    } finally {
      ports.close();
    }
  }

  /**
   * The promise: green and all tags new, or red and all tags as before; a tag
   * that is neither (it is new and cannot be forgotten, or could not be put
   * back) is named in the failure.
   */
  async expectKept(path: string, { error }: Ended): Promise<void> {
    const now = await this.read(path);
    if (error === undefined) return expect(now).toEqual(AFTER);
    expect(error).toBeInstanceOf(Failure);
    const told = `${(error as Failure).message}\n${(error as Failure).evidence.join("\n")}`;
    for (const [index, tag] of TAGS.entries()) {
      if (now[index] !== BEFORE[index]) expect(told).toContain(`:${tag.replace("!", "")}`);
    }
  }

  /** How many requests a push without faults sends. */
  async requestsOfAPush(): Promise<number> {
    const { job, path } = await this.prepared();
    await this.expectKept(path, await this.ended(job));
    return this.proxy.seen.length;
  }
}
