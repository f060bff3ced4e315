import { ask, childEnv } from "./child.ts";
import type { EnginePorts } from "./engine.ts";

/** What the docker CLI says of itself and of the engine that it reaches. */
export interface DockerFacts {
  /** Version of the CLI. */
  readonly client: string;
  /** Version of the engine. */
  readonly server: string;
}

/** Why there is no engine, in one sentence. */
export interface NoDocker {
  readonly problem: string;
}

/** Asks the engine: the CLI agrees with it on a version of their API that both speak. */
export async function askDocker(ports: EnginePorts): Promise<DockerFacts | NoDocker> {
  const exit = await ask(["docker", "version", "--format", "{{json .}}"], childEnv(ports), ports);
  if (!exit) return { problem: "the docker CLI is not installed" };
  const facts = parse(exit.stdout);
  const server = facts?.Server?.Version ?? "";
  if (exit.code === 0 && server !== "") return { client: facts?.Client?.Version ?? "", server };
  const lines = exit.stderr
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  return { problem: `the Docker engine does not answer: ${lines.at(-1) ?? `exit code ${exit.code}`}` };
}

/** The first number of a version, 0 when there is none. */
export function major(version: string): number {
  return Number(/^v?(\d+)/.exec(version)?.[1] ?? 0);
}

function parse(text: string):
  | {
      readonly Client?: { readonly Version?: string };
      readonly Server?: { readonly Version?: string } | null;
    }
  | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
