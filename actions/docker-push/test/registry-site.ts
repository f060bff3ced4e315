import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { startRegistry, type TestRegistry } from "../../../lib/testing/registry.ts";
import { type FaultProxy, startFaultProxy } from "../../../lib/testing/registry-faults.ts";
import type { Credentials } from "../src/registry/authorizer.ts";
import type { RegistryClient } from "../src/registry/client.ts";
import { clientFor, imageOf, loginOf, portsFor, type TestPorts } from "./push-kit.ts";

/** A real registry with a login, behind a proxy that can break, for all tests of a file; faults last for one test. */
export class RegistrySite {
  registry!: TestRegistry;
  proxy!: FaultProxy;
  private readonly open: { close(): void }[] = [];
  private count = 0;

  constructor() {
    beforeAll(async () => {
      this.registry = await startRegistry();
      this.proxy = await startFaultProxy(this.registry.origin);
    });
    afterAll(async () => {
      await this.proxy.stop();
      await this.registry.stop();
    });
    afterEach(() => {
      for (const one of this.open.splice(0)) one.close();
      this.proxy.clear();
    });
  }

  /** A client that goes through the proxy. */
  client(more: Parameters<typeof clientFor>[2] = {}): RegistryClient {
    const { host, origin } = this.proxy;
    const made = clientFor({ registry: host, origin }, loginOf(this.registry), more);
    this.open.push(made);
    return made;
  }

  /** What a push works with. */
  ports(credentials: Credentials = loginOf(this.registry)): TestPorts {
    const made = portsFor(credentials);
    this.open.push(made);
    return made;
  }

  /** A repository that no other test uses: its path in the registry. */
  freshPath(): string {
    return `test/r${++this.count}`;
  }

  /** The same as a name, through the proxy. */
  freshName(): string {
    return `${this.proxy.host}/${this.freshPath()}`;
  }

  /** How many requests of this kind the proxy saw in this test. */
  requests(method: string, target: RegExp): number {
    return this.proxy.seen.filter((request) => request.method === method && target.test(request.target))
      .length;
  }
}

/** Stores an image of one layer by its digest. */
export async function stored(to: RegistryClient, path: string, text = path) {
  const image = imageOf([text]);
  for (const blob of [...image.layers, image.config]) await to.uploadBlob(path, blob);
  await to.putManifest(path, image.manifest.digest, image.manifest);
  return image;
}
