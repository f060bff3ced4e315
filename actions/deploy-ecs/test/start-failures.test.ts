import { describe, expect, test } from "@jest/globals";
import { startFailure } from "../src/diagnose/start-failures.ts";

const ECR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop";
const PULL = "CannotPullContainerError: pull image manifest has been retried 5 time(s): ";
const INIT =
  "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: ";
const SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf";
const WHO = "User: arn:aws:sts::111122223333:assumed-role/exec/1a2b is not authorized to perform: ";

/** Reasons as ECS has been seen to give them; https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-errors.html */
describe("why a task does not start", () => {
  test.each([
    [
      `${PULL}failed to resolve ref ${ECR}:nope: ${ECR}:nope: not found`,
      "IMAGE_NOT_FOUND",
      true,
      `${ECR}:nope`,
    ],
    [
      "CannotPullContainerError: Error response from daemon: manifest for nginx:nope not found: manifest unknown: manifest unknown",
      "IMAGE_NOT_FOUND",
      true,
      "nginx:nope",
    ],
    [
      `CannotPullContainerError: Error response from daemon: repository ${ECR} not found: name unknown: The repository with name 'shop' does not exist in the registry with id '111122223333'`,
      "IMAGE_NOT_FOUND",
      true,
      "",
    ],
    [
      `CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'`,
      "IMAGE_NOT_FOUND",
      true,
      "platform",
    ],
    [
      "CannotPullContainerError: Error response from daemon: pull access denied for acme/shop, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      "IMAGE_DENIED",
      true,
      "acme/shop",
    ],
    [
      `${PULL}failed to resolve ref docker.io/acme/shop:1: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
      "IMAGE_DENIED",
      true,
      "docker.io/acme/shop:1",
    ],
    [
      `${PULL}failed to resolve ref ${ECR}:1: pulling from host 111122223333.dkr.ecr.eu-west-1.amazonaws.com failed with status code [manifests 1]: 403 Forbidden`,
      "IMAGE_DENIED",
      true,
      `${ECR}:1`,
    ],
    [
      `CannotPullECRContainerError: AccessDeniedException: ${WHO}ecr:GetAuthorizationToken on resource: *`,
      "IMAGE_DENIED",
      true,
      "ecr:GetAuthorizationToken",
    ],
    [
      `CannotPullContainerError: Error response from daemon: Get https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/shop/manifests/1: no basic auth credentials`,
      "IMAGE_DENIED",
      true,
      "",
    ],
    [
      `${INIT}unable to retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: ${WHO}ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action`,
      "IMAGE_DENIED",
      true,
      "ecr:GetAuthorizationToken",
    ],
    [
      "CannotPullContainerError: inspect image has been retried 5 time(s): httpReaderSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/acme/shop: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.",
      "IMAGE_PULL_FAILED",
      false,
      "limits pulls",
    ],
    [
      `${PULL}failed to resolve ref ${ECR}:1: failed to do request: Head https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/shop/manifests/1: dial tcp 10.0.3.17:443: i/o timeout`,
      "IMAGE_PULL_FAILED",
      false,
      "cannot reach",
    ],
    [
      'ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration. RequestError: send request failed caused by: Post "https://api.ecr.eu-west-1.amazonaws.com/": dial tcp 10.0.0.1:443: i/o timeout',
      "IMAGE_PULL_FAILED",
      false,
      "cannot reach",
    ],
    [
      "CannotPullContainerError: write /var/lib/docker/tmp/GetImageBlob111111111: no space left on device",
      "IMAGE_PULL_FAILED",
      false,
      "disk",
    ],
    ["CannotPullContainerError: invalid reference format", "IMAGE_NOT_FOUND", true, "no valid image"],
    [
      `${INIT}unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret ${SECRET} from secrets manager: AccessDeniedException: ${WHO}secretsmanager:GetSecretValue on resource: ${SECRET} because no identity-based policy allows the secretsmanager:GetSecretValue action`,
      "SECRET_DENIED",
      true,
      SECRET,
    ],
    [
      `${INIT}unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret ${SECRET} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.`,
      "SECRET_DENIED",
      true,
      "is not found",
    ],
    [
      `${INIT}unable to retrieve secrets from ssm: service call has been retried 1 time(s): AccessDeniedException: ${WHO}ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:111122223333:parameter/db`,
      "SECRET_DENIED",
      true,
      "ssm:GetParameters",
    ],
    [
      `${INIT}unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /shop/db`,
      "SECRET_DENIED",
      true,
      "/shop/db",
    ],
    [
      `${INIT}unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager did not contain json key password`,
      "SECRET_DENIED",
      true,
      "JSON key",
    ],
    [
      `${INIT}unable to retrieve secret from asm: service call has been retried 5 time(s): failed to fetch secret ${SECRET} from secrets manager: RequestCanceled: request context canceled caused by: context deadline exceeded`,
      "TASK_START_FAILED",
      false,
      "cannot reach",
    ],
    [
      "ECS was unable to assume the role 'arn:aws:iam::111122223333:role/exec' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.",
      "ROLE_DENIED",
      true,
      "arn:aws:iam::111122223333:role/exec",
    ],
    [
      "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1",
      "LOGS_UNAVAILABLE",
      true,
      "log group",
    ],
    [
      "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve fs-1.efs.eu-west-1.amazonaws.com",
      "VOLUME_FAILED",
      false,
      "volume",
    ],
    [
      "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': InsufficientFreeAddressesInSubnet",
      "NO_CAPACITY",
      false,
      "no free IP",
    ],
    [
      "Capacity is unavailable at this time. Please try again later or in a different availability zone",
      "NO_CAPACITY",
      false,
      "no capacity",
    ],
    [
      "You've reached the limit on the number of vCPUs you can run concurrently",
      "NO_CAPACITY",
      false,
      "vCPUs",
    ],
    [
      'CannotStartContainerError: Error response from daemon: OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "serve": executable file not found in $PATH: unknown',
      "CONTAINER_START_FAILED",
      true,
      "executable file not found",
    ],
    [
      "CannotStartContainerError: Error response from daemon: driver failed programming external connectivity: Bind for 0.0.0.0:8080 failed: port is already allocated",
      "CONTAINER_START_FAILED",
      false,
      "port",
    ],
    [
      "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 3m: <nil>",
      "CONTAINER_START_FAILED",
      false,
      "Could not transition",
    ],
    [
      "Timeout waiting for network interface provisioning to complete.",
      "TASK_START_FAILED",
      false,
      "network interface",
    ],
    [
      "Timeout waiting for EphemeralStorage provisioning to complete.",
      "NO_CAPACITY",
      false,
      "EphemeralStorage",
    ],
  ])("%s", (text, code, fatal, words) => {
    const found = startFailure(text);
    expect([found?.code, found?.fatal]).toEqual([code, fatal]);
    expect(`${found?.message} ${found?.fix}`).toContain(words);
    expect(found?.message).not.toMatch(/\n|\.$/);
  });

  test("is not told by an exit or a scaling activity", () => {
    expect(startFailure("Essential container in task exited")).toBeUndefined();
    expect(startFailure("Scaling activity initiated by (deployment ecs-svc/1)")).toBeUndefined();
  });
});
