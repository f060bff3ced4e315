import type { EcsState } from "../ecs/state.ts";
import { defined, FakeAwsError, type Json, type Operation, seconds } from "../types.ts";

/** ECR as far as logging in and repositories go; images are not played here. */
export function registryOperations(ecs: EcsState): Readonly<Record<string, Operation>> {
  const repositories = new Map<string, Json>();
  const { partition, region, account } = ecs.place;
  const host = `${account}.dkr.ecr.${region}.amazonaws.com`;
  return {
    GetAuthorizationToken: () => ({
      authorizationData: [
        {
          authorizationToken: Buffer.from("AWS:fake-registry-password").toString("base64"),
          expiresAt: seconds(ecs.time.now() + 12 * 3_600_000),
          proxyEndpoint: `https://${host}`,
        },
      ],
    }),
    CreateRepository: (input) => {
      const name = String(input["repositoryName"]);
      if (repositories.has(name)) {
        throw new FakeAwsError(
          "RepositoryAlreadyExistsException",
          `The repository with name '${name}' already exists`,
        );
      }
      const repository = defined({
        repositoryArn: `arn:${partition}:ecr:${region}:${account}:repository/${name}`,
        registryId: account,
        repositoryName: name,
        repositoryUri: `${host}/${name}`,
        createdAt: seconds(ecs.time.now()),
        imageTagMutability: input["imageTagMutability"] ?? "MUTABLE",
        imageScanningConfiguration: input["imageScanningConfiguration"],
        encryptionConfiguration: input["encryptionConfiguration"],
      });
      repositories.set(name, repository);
      return { repository };
    },
    DescribeRepositories: (input) => {
      const names = (input["repositoryNames"] ?? [...repositories.keys()]) as readonly string[];
      const missing = names.find((name) => !repositories.has(name));
      if (missing !== undefined) {
        throw new FakeAwsError(
          "RepositoryNotFoundException",
          `The repository with name '${missing}' does not exist`,
        );
      }
      return { repositories: names.map((name) => repositories.get(name)) };
    },
  };
}

/** ECR Public: logging in. */
export function publicRegistryOperations(ecs: EcsState): Readonly<Record<string, Operation>> {
  return {
    GetAuthorizationToken: () => ({
      authorizationData: {
        authorizationToken: Buffer.from("AWS:fake-public-password").toString("base64"),
        expiresAt: seconds(ecs.time.now() + 12 * 3_600_000),
      },
    }),
  };
}
