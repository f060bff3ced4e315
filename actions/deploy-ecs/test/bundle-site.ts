import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StepResult } from "../../../lib/testing/runner.ts";
import { openSite, type Site } from "./bundle-kit.ts";

/** Calls that change something. */
const WRITE = /^(Register|Deregister|Update|Run|Stop|Create|Put|Continue|Delete)/;

/** One site for many runs: the service `app`, files in the workspace, and the calls since the last `forget`. */
export class BundleSite {
  readonly site: Site;

  private constructor(site: Site) {
    this.site = site;
  }

  static async open(): Promise<BundleSite> {
    const allowUnknown = ["RegisterTaskDefinition", "DescribeTaskDefinition"];
    return new BundleSite(await openSite({ desired: 1 }, { allowUnknown }));
  }

  get aws(): Site["aws"] {
    return this.site.aws;
  }

  async close(): Promise<void> {
    await this.site.close();
  }

  /** Writes a file into the workspace; returns its name. */
  file(name: string, content: string): string {
    const path = join(this.site.runner.workspace, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return name;
  }

  /** The main step with these inputs and no image of its own. */
  async deploy(inputs: Record<string, string>): Promise<StepResult> {
    return this.site.main({ image: "", ...inputs });
  }

  /** Forgets the calls so far. */
  forget(): void {
    this.aws.world.calls.length = 0;
  }

  operations(): string[] {
    return this.aws.calls.map((call) => call.operation);
  }

  writes(): string[] {
    return this.operations().filter((operation) => WRITE.test(operation));
  }
}
