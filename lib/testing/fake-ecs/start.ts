import type { Fault, When } from "./faults.ts";
import { controlDoor } from "./http/control.ts";
import { serve } from "./http/server.ts";
import type { Balancer } from "./processes/balancer.ts";
import { buildStage, type Stage, type StageOptions } from "./processes/stage.ts";
import type { CallRecord, Json } from "./types.ts";
import { FakeAws, type WorldOptions } from "./world.ts";

/** How a stand-in is started. */
export interface StartOptions extends WorldOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Containers are real processes behind real balancers; see `StageOptions`. */
  readonly processes?: StageOptions;
  /** Settings of target groups, by name; see `FakeAws.targetGroups`. */
  readonly targetGroups?: Readonly<Record<string, Json>>;
}

/** A running stand-in for AWS. */
export interface RunningAws {
  readonly world: FakeAws;
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  readonly calls: readonly CallRecord[];
  /** Load balancers by target group; only with `processes`. */
  readonly balancers: Readonly<Record<string, Balancer>>;
  /** Environment of a process that is to use it: endpoint, fake keys, region; no other credentials are found. */
  env(): Record<string, string>;
  /** Breaks calls; see `FakeAws.fail`. */
  fail(fault: Fault, when?: When): void;
  close(): Promise<void>;
}

/**
 * Starts a world behind an HTTP server on a free loopback port. Its time runs as
 * fast as the machine's own unless `speed` (or a `clock`) says otherwise. Below
 * `/_fake/` the server can be told what a test would tell the world (control.ts).
 */
export async function startFakeAws(options: StartOptions = {}): Promise<RunningAws> {
  const world = new FakeAws({ speed: 1, start: Date.now(), ...options });
  for (const [name, group] of Object.entries(options.targetGroups ?? {})) world.targetGroups.set(name, group);
  const stage: Stage | undefined =
    options.processes && (await buildStage(world, options.processes, options.speed ?? 1));
  const server = await serve(world, options.port, controlDoor(world));
  const region = options.place?.region ?? "eu-west-1";
  return {
    world,
    endpoint: server.endpoint,
    calls: world.calls,
    balancers: stage?.balancers ?? {},
    env: () => environment(server.endpoint, region),
    fail: (fault, when) => world.fail(fault, when),
    close: async () => {
      await server.close();
      await stage?.close();
    },
  };
}

function environment(endpoint: string, region: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "fake-secret-access-key",
    AWS_SESSION_TOKEN: "fake-session-token",
    AWS_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
}
