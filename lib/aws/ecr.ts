import { RemoteError } from "../errors.ts";
import { list, object } from "./answers.ts";
import type { AwsCall, AwsCallOptions } from "./call.ts";
import type { SdkLoaders } from "./client.ts";
import { AwsError } from "./errors.ts";

/** A registry of Amazon ECR, read from its host name. */
export type EcrRegistry =
  | { readonly kind: "private"; readonly host: string; readonly account: string; readonly region: string }
  | { readonly kind: "public"; readonly host: string };

/** What `docker login` needs. The password is a secret: mask it before use. */
export interface EcrLogin {
  readonly username: string;
  readonly password: string;
  /** Milliseconds since the epoch; 12 hours after the request. Infinity when AWS does not say. */
  readonly expiresAt: number;
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html (also dual-stack: `dkr-ecr`, `on.aws`). */
const PRIVATE_HOST =
  /^(?<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?<region>[a-z]{2,}(?:-[a-z0-9]+)+)\.(?:amazonaws\.com(?:\.cn)?|on\.(?:aws|amazonwebservices\.com\.cn)|(?:c2s\.ic|sc2s\.sgov)\.gov|csp\.hci\.ic\.gov|cloud\.adc-e\.uk)$/;
const PUBLIC_HOSTS = new Set(["public.ecr.aws", "ecr-public.aws.com"]);

/** ECR Public signs in and keeps its repositories in this region alone, whatever the run's own. */
const PUBLIC_REGION = "us-east-1";

/** The SDK's parts for ECR; `ecr-public` is loaded only where a public registry is named. */
export const ecrLoaders: SdkLoaders = {
  ecr: async () => {
    const { ECRClient, GetAuthorizationTokenCommand, CreateRepositoryCommand } = await import(
      "@aws-sdk/client-ecr"
    );
    return {
      Client: ECRClient,
      commands: { GetAuthorizationTokenCommand, CreateRepositoryCommand },
      protocol: "json",
    };
  },
  "ecr-public": async () => {
    const { ECRPUBLICClient, GetAuthorizationTokenCommand, CreateRepositoryCommand } = await import(
      "@aws-sdk/client-ecr-public"
    );
    const commands = { GetAuthorizationTokenCommand, CreateRepositoryCommand };
    return { Client: ECRPUBLICClient, commands, protocol: "json" };
  },
};

/** The ECR registry that a host name is, or undefined when it is none. */
export function parseEcrHost(host: string): EcrRegistry | undefined {
  const name = host.toLowerCase();
  if (PUBLIC_HOSTS.has(name)) return { kind: "public", host: name };
  const { account, region } = PRIVATE_HOST.exec(name)?.groups ?? {};
  if (account === undefined || region === undefined) return undefined;
  return { kind: "private", host: name, account, region };
}

/** Where the calls for a registry go. */
function placeOf(registry: EcrRegistry): { readonly service: "ecr" | "ecr-public"; readonly region: string } {
  return registry.kind === "public"
    ? { service: "ecr-public", region: PUBLIC_REGION }
    : { service: "ecr", region: registry.region };
}

/**
 * Logins for all registries named, by host. One request for all private registries of a region,
 * whatever their accounts: a token is the caller's and opens every registry that lets the caller in.
 */
export async function ecrLogins(
  call: AwsCall,
  registries: readonly EcrRegistry[],
  options: AwsCallOptions = {},
): Promise<ReadonlyMap<string, EcrLogin>> {
  const asked = new Map<string, Promise<EcrLogin>>();
  const logins = registries.map(async (registry): Promise<[string, EcrLogin]> => {
    const { service, region } = placeOf(registry);
    const key = `${service} ${region}`;
    const login = asked.get(key) ?? ecrLogin(call, service, { ...options, region });
    asked.set(key, login);
    return [registry.host, await login];
  });
  return new Map(await Promise.all(logins));
}

async function ecrLogin(
  call: AwsCall,
  service: "ecr" | "ecr-public",
  options: AwsCallOptions,
): Promise<EcrLogin> {
  const { authorizationData } = await call(service, "GetAuthorizationToken", {}, options);
  // A list for private registries, an object for the public one.
  const [first = authorizationData] = list<unknown>(authorizationData);
  const { authorizationToken = "", expiresAt } = object<{ authorizationToken?: string; expiresAt?: number }>(
    first,
  );
  const [username = "", ...rest] = Buffer.from(authorizationToken, "base64").toString().split(":");
  const password = rest.join(":");
  if (username === "" || password === "") {
    throw new RemoteError(`${service}:GetAuthorizationToken answered no token`, { code: "LOGIN_FAILED" });
  }
  return {
    username,
    password,
    expiresAt: typeof expiresAt === "number" ? expiresAt * 1000 : Number.POSITIVE_INFINITY,
  };
}

/** Makes a repository (`team/api`) unless it is there; says which of the two it was. */
export async function ensureRepository(
  call: AwsCall,
  registry: EcrRegistry,
  repositoryName: string,
  options: AwsCallOptions = {},
): Promise<"created" | "exists"> {
  const { service, region } = placeOf(registry);
  // The first part of a public repository's path is its registry's alias, which the request must not hold.
  const name = registry.kind === "public" ? repositoryName.split("/").slice(1).join("/") : repositoryName;
  const where = registry.kind === "private" ? { registryId: registry.account } : {};
  try {
    await call(service, "CreateRepository", { ...where, repositoryName: name }, { ...options, region });
    return "created";
  } catch (error) {
    if (error instanceof AwsError && error.name === "RepositoryAlreadyExistsException") return "exists";
    throw error;
  }
}
