import type { RunContext } from "../../../../lib/action.ts";
import type { Log } from "../../../../lib/log.ts";
import type { Inputs } from "../inputs/model.ts";
import { readDockerConfig } from "../login/docker-config.ts";
import { type Ecr, openEcr } from "../login/ecr.ts";
import { type Logins, openLogins } from "../login/logins.ts";
import type { RegistryClient } from "../registry/client.ts";
import { openRegistry } from "../registry/http-client.ts";
import type { Repository } from "../registry/names.ts";

/** The registries of a run, each with its login, spoken to over one client each. */
export interface Registries {
  client(repository: Repository): RegistryClient;
  /** Whether there is a login for every registry. */
  readonly hasLogins: boolean;
  readonly logins: Logins;
  readonly ecr: Ecr | undefined;
  /** Requests sent so far to all of them. */
  requests(): number;
  close(): void;
}

type Ports = Pick<RunContext, "env" | "log" | "clock" | "signal" | "mask">;

/** Finds the logins and opens the clients; nothing is sent to a registry yet. `asksAws: false` keeps AWS out. */
export async function openRegistries(
  inputs: Pick<Inputs, "registry">,
  ports: Ports,
  asksAws = true,
): Promise<Registries> {
  const { images, logins: given, awsRegion } = inputs.registry;
  const { env, log, clock, signal, mask } = ports;
  const ecr =
    inputs.registry.ecr && asksAws ? openEcr({ awsRegion, env, log, clock, signal, mask }) : undefined;
  const config = readDockerConfig(env);
  const logins = openLogins({ inputs: given, ecr, config }, { env, log, signal, mask });
  const clients = new Map<string, RegistryClient>();
  let hasLogins = true;
  for (const { registry, origin } of images) {
    if (clients.has(registry)) continue;
    const credentials = await logins.find(registry);
    if (!credentials) {
      hasLogins = false;
      hintAtOthers(registry, inputs.registry, log);
    }
    const hide = (secret: string) => mask.add(secret);
    clients.set(
      registry,
      openRegistry({ registry: { registry, origin }, credentials, log, clock, signal, env, mask: hide }),
    );
  }
  return {
    client: ({ registry }) => {
      const client = clients.get(registry);
      if (!client) throw new Error(`no client for ${registry}`);
      return client;
    },
    hasLogins,
    logins,
    ecr,
    requests: () => [...clients.values()].reduce((sum, client) => sum + client.requests, 0),
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}

/** A login without `registry` is one of Docker Hub: given for another registry by mistake, it is never sent there. */
function hintAtOthers(registry: string, given: Inputs["registry"], log: Log): void {
  const hosts = new Set(given.images.map((image) => image.registry));
  const stray = given.logins.find((login) => !hosts.has(login.registry));
  if (stray)
    log.warn(
      `no login for ${registry}; the one given is for ${stray.registry}: is \`registry: ${registry}\` missing?`,
    );
}

/** Every tag of the repositories. */
export async function tagsOf(images: readonly Repository[], registries: Registries): Promise<string[]> {
  const lists = await Promise.all(images.map((image) => registries.client(image).listTags(image.path)));
  return [...new Set(lists.flat())];
}
