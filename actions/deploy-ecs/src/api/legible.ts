import { list } from "../../../../lib/aws/answers.ts";
import type { JsonObject } from "../../../../lib/aws/call.ts";
import type { EcsDeployment, EcsService } from "./ecs-types.ts";

/** Seconds since the epoch are below this until the year 5138, milliseconds above it since 1973. */
const MOST_SECONDS = 1e11;

/**
 * An answer with every time (`createdAt`, `stoppedAt`, ...) in seconds since the epoch, as ECS itself writes them.
 * What stands in for ECS may write milliseconds or ISO 8601; a time compared as text would be no time at all.
 */
export function inSeconds<T>(answer: T): T {
  if (Array.isArray(answer)) return answer.map((item: unknown) => inSeconds(item)) as T;
  if (typeof answer !== "object" || answer === null) return answer;
  const entries = Object.entries(answer).map(([name, value]) => [
    name,
    name.endsWith("At") ? secondsOf(value) : inSeconds(value as unknown),
  ]);
  return Object.fromEntries(entries) as T;
}

function secondsOf(value: unknown): unknown {
  if (typeof value === "number") return value > MOST_SECONDS ? value / 1000 : value;
  if (typeof value !== "string") return value;
  const time = /^[\d.]+$/.test(value) ? Number(value) : Date.parse(value) / 1000;
  return Number.isFinite(time) ? time : undefined;
}

/**
 * A service whose deployments all have an id: a deployment is told from the next by it. ECS gives each one; where
 * one is missing, its revision and its time have to do.
 */
export function serviceOf(raw: JsonObject): EcsService {
  const service: EcsService = inSeconds(raw);
  const deployments = list<EcsDeployment>(service.deployments);
  if (deployments.every(({ id }) => id !== undefined && id !== "")) return service;
  return { ...service, deployments: deployments.map((one) => ({ ...one, id: one.id || madeId(one) })) };
}

function madeId({ taskDefinition = "", createdAt = 0 }: EcsDeployment): string {
  return `of ${taskDefinition}@${createdAt}`;
}

/** Whether ECS itself gave the id. */
export function isGivenId(id: string): boolean {
  return !id.startsWith("of ");
}
