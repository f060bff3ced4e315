import type { AwsCallOptions } from "../../../../lib/aws/call.ts";
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

  /** A revision by its ARN, `family:revision` or family (then the newest). What it keeps from sight is masked. */
  async read(name: string, options: AwsCallOptions): Promise<Revision> {
    const known = this.known.get(name);
    if (known) return known;
    const { apis, mask } = this.ports;
    const revision = revisionOf(await apis.ecs.describeTaskDefinition(name, options));
    const { cluster, name: service } = this.ports.inputs.service;
    for (const value of secretValues(revision.definition, [cluster, service])) mask.add(value);
    this.known.set(name, revision);
    this.known.set(revision.arn, revision);
    return revision;
  }
}
