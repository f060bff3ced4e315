import type { Fault, When } from "./faults.ts";
import { type Listening, serve } from "./http/server.ts";
import type { CallRecord } from "./types.ts";
import { FakeAws, type WorldOptions } from "./world.ts";

/** A running stand-in for AWS. */
export interface RunningAws {
  readonly world: FakeAws;
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  readonly calls: readonly CallRecord[];
  /** Environment of a process that is to use it: endpoint, fake keys, region; no other credentials are found. */
  env(): Record<string, string>;
  /** Breaks calls; see `FakeAws.fail`. */
  fail(fault: Fault, when?: When): void;
  close(): Promise<void>;
}

/**
 * Starts a world behind an HTTP server on a free loopback port. Its time runs as
 * fast as the machine's own unless `speed` (or a `clock`) says otherwise.
 */
export async function startFakeAws(
  options: WorldOptions & { readonly port?: number } = {},
): Promise<RunningAws> {
  const world = new FakeAws({ speed: 1, start: Date.now(), ...options });
  const server: Listening = await serve(world, options.port);
  const region = options.place?.region ?? "eu-west-1";
  return {
    world,
    endpoint: server.endpoint,
    calls: world.calls,
    env: () => ({
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: "fake-secret-access-key",
      AWS_SESSION_TOKEN: "fake-session-token",
      AWS_REGION: region,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    }),
    fail: (fault, when) => world.fail(fault, when),
    close: () => server.close(),
  };
}
