import type { AwsCallOptions } from "../../../../lib/aws/call.ts";
import { AwsError } from "../../../../lib/aws/errors.ts";
import { revisionOf } from "../definition/load.ts";
import type { Revision } from "../definition/model.ts";
import { secretValues } from "../definition/secrets.ts";
import type { EcsPorts } from "./ports.ts";

/** Task definitions, each read once: a revision never changes. */
export class Definitions {
  private readonly known = new Map<string, Revision>();
  private readonly ports: EcsPorts;

  constructor(ports: EcsPorts) {
    this.ports = ports;
  }

  /** The same; undefined when ECS knows none of that name. */
  async find(name: string, options: AwsCallOptions): Promise<Revision | undefined> {
    try {
      return await this.read(name, options);
    } catch (error) {
      // ECS has no code of its own for it.
      if (error instanceof AwsError && error.name === "ClientException") return undefined;
      throw error;
    }
  }

  /** A revision by its ARN, `family:revision` or family (then the newest). What it keeps from sight is masked. */
  async read(name: string, options: AwsCallOptions): Promise<Revision> {
    const known = this.known.get(name);
    if (known) return known;
    const { apis, mask } = this.ports;
    const revision = revisionOf(await apis.ecs.describeTaskDefinition(name, options));
    for (const value of secretValues(revision.definition, this.ports.inputs.shown)) mask.add(value);
    this.known.set(name, revision);
    this.known.set(revision.arn, revision);
    return revision;
  }
}
