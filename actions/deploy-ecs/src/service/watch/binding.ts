import type { Call } from "../../../../../lib/rollout/target.ts";
import type { EcsServiceDeploymentBrief, EcsServiceRevision } from "../../api/ecs-types.ts";
import type { Optional } from "../optional.ts";
import type { EcsPorts } from "../ports.ts";
import type { Memory } from "./memory.ts";

/** A new service deployment may be missing from the list for so long, milliseconds. */
const LISTED_WITHIN_MS = 30_000;
/** The server gives a deployment and its service deployment times that differ by less than this, seconds. */
const SAME_MOMENT_S = 5;
const MOST_CANDIDATES = 5;

/**
 * Finds the service deployment that belongs to our deployment. UpdateService does
 * not answer it, and what a service calls its current one may be stale, so it is
 * the one that was made at the server's time of our deployment and whose revision
 * has our task definition.
 */
export class Binding {
  /** "" until it is found. */
  arn = "";
  /** Digest of each container's image, by container name. */
  digests: Readonly<Record<string, string>> = {};
  private candidates: readonly EcsServiceDeploymentBrief[] = [];
  private target = "";
  private readonly ports: EcsPorts;
  private readonly optional: Optional;

  constructor(ports: EcsPorts, optional: Optional, arn: string) {
    this.ports = ports;
    this.optional = optional;
    this.arn = arn;
  }

  /** Whether asking once more may still find it. */
  isOpen(memory: Memory, now: number): boolean {
    if (this.arn !== "" || memory.createdAt === 0 || !memory.startsDeployment) return false;
    if (this.isDenied()) return false;
    return this.candidates.length > 0 || now - memory.updatedAt < LISTED_WITHIN_MS;
  }

  /** Whether there are candidates, so that the next question is which of them it is. */
  get isListed(): boolean {
    return this.candidates.length > 0;
  }

  /** Lists the candidates: one call. */
  async list(memory: Memory, call: Call): Promise<void> {
    if (this.candidates.length > 0) return;
    const { apis, inputs } = this.ports;
    const { cluster, name: service } = inputs.service;
    const after = Math.floor(memory.createdAt) - SAME_MOMENT_S;
    const listed = await this.optional.ask(
      "ecs:ListServiceDeployments",
      "the deployment is followed and rolled back without its service deployment",
      () => apis.ecs.listServiceDeployments({ cluster, service, after }, { signal: call.signal }),
    );
    const distance = (one: EcsServiceDeploymentBrief) => Math.abs((one.createdAt ?? 0) - memory.createdAt);
    this.candidates = (listed ?? [])
      .filter((one) => one.targetServiceRevisionArn !== undefined && distance(one) <= SAME_MOMENT_S)
      .sort((a, b) => distance(a) - distance(b))
      .slice(0, MOST_CANDIDATES);
  }

  /** Finds out which candidate is ours: one call, none without candidates. */
  async confirm(memory: Memory, call: Call): Promise<void> {
    if (this.arn !== "" || this.candidates.length === 0) return;
    const arns = this.candidates.map((one) => one.targetServiceRevisionArn ?? "");
    const revisions = await this.describe(arns, call);
    for (const candidate of this.candidates) {
      const revision = revisions.find((one) => one.serviceRevisionArn === candidate.targetServiceRevisionArn);
      if (revision?.taskDefinition !== memory.revision) continue;
      this.arn = candidate.serviceDeploymentArn ?? "";
      this.target = revision.serviceRevisionArn ?? "";
      this.keepDigests(revision);
      this.ports.state.save("service-deployment", this.arn);
      return;
    }
    this.candidates = [];
  }

  /** The image digests once more: they are not known before the first task has started. */
  async readDigests(memory: Memory, call: Call): Promise<void> {
    if (Object.keys(this.digests).length > 0) return;
    if (this.arn === "") return this.confirm(memory, call);
    const [revision] = this.target === "" ? [] : await this.describe([this.target], call);
    if (revision) this.keepDigests(revision);
  }

  private isDenied(): boolean {
    return (
      this.optional.isOff("ecs:ListServiceDeployments") || this.optional.isOff("ecs:DescribeServiceRevisions")
    );
  }

  private async describe(arns: readonly string[], call: Call): Promise<readonly EcsServiceRevision[]> {
    const found = await this.optional.ask(
      "ecs:DescribeServiceRevisions",
      "image digests are not told, and the service deployment is not known",
      () => this.ports.apis.ecs.describeServiceRevisions(arns, { signal: call.signal }),
    );
    return found ?? [];
  }

  private keepDigests(revision: EcsServiceRevision): void {
    const digests: Record<string, string> = {};
    for (const { containerName, imageDigest } of revision.containerImages ?? []) {
      if (containerName !== undefined && imageDigest !== undefined) digests[containerName] = imageDigest;
    }
    this.digests = digests;
  }
}
