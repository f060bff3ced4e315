import type { AwsCall } from "../../../../lib/aws/call.ts";
import { connectAws } from "../../../../lib/aws/client.ts";
import { ecrLoaders, ecrLogins, ensureRepository, parseEcrHost } from "../../../../lib/aws/ecr.ts";
import { AwsError } from "../../../../lib/aws/errors.ts";
import { asked } from "../../../../lib/aws/retry.ts";
import type { Clock } from "../../../../lib/clock.ts";
import type { Log } from "../../../../lib/log.ts";
import type { Credentials } from "../registry/authorizer.ts";
import type { Repository } from "../registry/names.ts";

/** What signing in to Amazon's registries needs. */
export interface EcrPorts {
  /** The `aws-region` input, or empty. */
  readonly awsRegion: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly mask: { add(value: string): void };
  /** Takes the place of AWS in tests. */
  readonly call?: AwsCall;
}

/** Amazon's registries among the hosts of a run. */
export interface Ecr {
  /** A login for this host; undefined when it is none of Amazon's. Rejects with an AwsError. */
  login(host: string): Promise<Credentials | undefined>;
  /** Makes the repository unless it exists; false when its registry is none of Amazon's. */
  createRepository(repository: Repository): Promise<boolean>;
}

/** Nothing is loaded or asked before the first use for a host of Amazon's. */
export function openEcr(ports: EcrPorts): Ecr {
  const { awsRegion, env, log, clock, signal, mask } = ports;
  let call = ports.call;
  const connected = (): AwsCall => {
    call ??= connectAws({ loaders: ecrLoaders, region: awsRegion, env, log, mask }).call;
    return call;
  };
  return {
    login: async (host) => {
      const registry = parseEcrHost(host);
      if (!registry) return undefined;
      const logins = await asked(() => ecrLogins(connected(), [registry], { signal }), { clock, signal });
      const login = logins.get(registry.host);
      if (!login) return undefined;
      mask.add(login.password);
      log.info(`${host}: signed in with the AWS credentials at hand`);
      return { kind: "password", username: login.username, password: login.password };
    },
    createRepository: async ({ registry: host, path }) => {
      const registry = parseEcrHost(host);
      if (!registry) return false;
      // Asked twice, the second answer is "exists": that is as good.
      await asked(() => ensureRepository(connected(), registry, path, { signal }), { clock, signal });
      return true;
    },
  };
}

/** Whether AWS is simply not set up here (as opposed to refusing). */
export function lacksAws(error: unknown): boolean {
  return error instanceof AwsError && error.code === "CREDENTIALS_MISSING";
}
