import { cutAtWord } from "../../../../lib/words.ts";

/** Why a task did not start, in words for people. */
export interface StartFailure {
  readonly code: string;
  /** One line, no full stop. */
  readonly message: string;
  readonly fix: string;
  /** Another try will fail the same way. */
  readonly fatal: boolean;
}

interface Rule {
  /** All of these are in the text. */
  readonly when: readonly RegExp[];
  readonly code: string;
  readonly fatal: boolean;
  readonly say: (text: string) => { readonly message: string; readonly fix: string };
}

const PULL = /CannotPull\w*Error|(cannot|can't|unable to) pull (the )?(image|container)|pull image manifest/i;
const SECRET = /secret|ssm parameter|parameter store|ssm:GetParameter/i;
const REGISTRY_AUTH =
  /ecr registry auth|registry auth from Amazon ECR|ecr:(GetAuthorizationToken|BatchGetImage|GetDownloadUrlForLayer|BatchCheckLayerAvailability)|private registry/i;
const NETWORK =
  /i\/o timeout|dial tcp|connection issue|no such host|context deadline exceeded|request canceled|connection re(set|fused)|TLS handshake timeout|RequestError: send request failed|Client\.Timeout/i;
const DENIED =
  /AccessDenied|not authorized|denied|unauthorized|forbidden|no basic auth credentials|insufficient_scope|\b40[13]\b|UnrecognizedClient/i;
const ABSENT =
  /not found|does not exist|manifest unknown|name unknown|ResourceNotFound|can.t find|invalid ssm parameters|ParameterNotFound|\b404\b/i;

/**
 * AWS's texts, most telling first; the first rule of which every pattern is found decides. Prefixes:
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
 */
const RULES: readonly Rule[] = [
  rule([REGISTRY_AUTH, NETWORK], "IMAGE_PULL_FAILED", false, () => ({
    message: "the task cannot reach Amazon ECR to log in",
    fix: "give the task's subnets a NAT gateway, a public IP, or the VPC endpoints ecr.api, ecr.dkr and s3",
  })),
  rule([SECRET, NETWORK], "TASK_START_FAILED", false, () => ({
    message: "the task cannot reach Secrets Manager or Parameter Store",
    fix: "give the task's subnets a NAT gateway or VPC endpoints for secretsmanager and ssm",
  })),
  rule([/did(n't| not) contain json key|json key .* not/i, SECRET], "SECRET_DENIED", true, (text) => ({
    message: `the secret${named(secretIn(text))} lacks the JSON key that the task definition names`,
    fix: "correct the key in the `valueFrom` or put it into the secret",
  })),
  rule(
    [
      /unable to (retrieve|pull) .*secret|failed to fetch secret|ssm parameter|from (asm|ssm|secrets manager)/i,
      ABSENT,
      notDenied(),
    ],
    "SECRET_DENIED",
    true,
    (text) => ({
      message: `the secret${named(secretIn(text))} is not found`,
      fix: "create it, or correct its ARN or name in `secrets`; a parameter's name needs the task's own region",
    }),
  ),
  rule(
    [
      /unable to (retrieve|pull) .*secret from|failed to fetch secret|ssm parameter|secretsmanager:|ssm:GetParameter|kms:Decrypt/i,
      DENIED,
    ],
    "SECRET_DENIED",
    true,
    (text) => ({
      message: `the task's execution role may not read the secret${named(secretIn(text))}`,
      fix: `allow ${actionIn(text) || "secretsmanager:GetSecretValue or ssm:GetParameters (and kms:Decrypt where a key of yours encrypts it)"} to the execution role`,
    }),
  ),
  rule([/toomanyrequests|pull rate limit|429/i, PULL], "IMAGE_PULL_FAILED", false, (text) => ({
    message: `the registry limits pulls of the image${named(imageIn(text))}`,
    fix: "log in to the registry with `repositoryCredentials`, or use a copy in ECR (a pull-through cache)",
  })),
  rule(
    [/no matching manifest|does not contain descriptor matching platform|exec format error/i],
    "IMAGE_NOT_FOUND",
    true,
    (text) => ({
      message: `the image${named(imageIn(text))} is not built for the task's platform`,
      fix: "build it for that platform, or set `runtimePlatform` of the task definition to the image's",
    }),
  ),
  rule([PULL, NETWORK], "IMAGE_PULL_FAILED", false, (text) => ({
    message: `the task cannot reach the registry of the image${named(imageIn(text))}`,
    fix: "give the task's subnets a way to the registry: NAT, a public IP, or the VPC endpoints ecr.api, ecr.dkr and s3",
  })),
  rule([PULL, /pull access denied|insufficient_scope/i], "IMAGE_DENIED", true, (text) => ({
    message: `the image${named(imageIn(text))} may not be pulled, or its repository does not exist`,
    fix: "check the repository's name; for a private registry give the container `repositoryCredentials`",
  })),
  rule([PULL, ABSENT, notDenied()], "IMAGE_NOT_FOUND", true, (text) => ({
    message: `the image${named(imageIn(text))} is not found`,
    fix: "push the image before deploying it, or correct its name, tag or digest",
  })),
  rule([PULL, /invalid reference format|invalid image/i], "IMAGE_NOT_FOUND", true, (text) => ({
    message: `${named(imageIn(text)).trim() || "the image"} is no valid image reference`,
    fix: "correct the image's name",
  })),
  rule([PULL, DENIED], "IMAGE_DENIED", true, imageDenied),
  rule([REGISTRY_AUTH, DENIED], "IMAGE_DENIED", true, imageDenied),
  rule([PULL, /no space left/i], "IMAGE_PULL_FAILED", false, (text) => ({
    message: `the disk is too small for the image${named(imageIn(text))}`,
    fix: "raise `ephemeralStorage`, clean the instance's disk, or make the image smaller",
  })),
  rule([PULL], "IMAGE_PULL_FAILED", false, (text) => ({
    message: `the image${named(imageIn(text))} could not be pulled: ${tail(text)}`,
    fix: "see the reason; a registry that was busy is asked again by ECS",
  })),
  rule(
    [/unable to assume the .*role|role .* (cannot|can't|could not) be assumed/i],
    "ROLE_DENIED",
    true,
    (text) => ({
      message: `ECS may not assume the role${named(roleIn(text))}`,
      fix: "let ecs-tasks.amazonaws.com assume it in the role's trust policy, and check that it exists",
    }),
  ),
  rule([/log (group|stream)|logger args|logging driver|awslogs/i, ABSENT], "LOGS_UNAVAILABLE", true, () => ({
    message: "the log group of the task definition does not exist",
    fix: "create the log group, or set the option `awslogs-create-group` and allow logs:CreateLogGroup to the execution role",
  })),
  rule([/log (group|stream)|logger args|logging driver|awslogs/i], "LOGS_UNAVAILABLE", false, (text) => ({
    message: `the container's log driver does not start: ${tail(text)}`,
    fix: "allow logs:CreateLogStream and logs:PutLogEvents to the execution role, and a way from the subnets to CloudWatch Logs",
  })),
  rule(
    [/EFS|CannotCreateVolumeError|volume|mount/i, /ResourceInitializationError|CannotCreateVolumeError/],
    "VOLUME_FAILED",
    false,
    (text) => ({
      message: `a volume of the task cannot be mounted: ${tail(text)}`,
      fix: "check the file system's mount targets, security groups and access point",
    }),
  ),
  rule(
    [/InsufficientFreeAddresses|not have enough free|insufficient .*(address|ip)/i],
    "NO_CAPACITY",
    false,
    () => ({
      message: "the subnet has no free IP address for the task",
      fix: "free addresses or add a larger subnet to the service",
    }),
  ),
  rule(
    [
      /Capacity is unavailable|RESOURCE:|unable to place|limit on the number of (tasks|vCPUs)|EphemeralStorage provisioning|InsufficientInstanceCapacity/i,
    ],
    "NO_CAPACITY",
    false,
    (text) => ({
      message: `there is no capacity for the task: ${tail(text)}`,
      fix: "add capacity or another availability zone, ask for less CPU and memory, or raise the account's quota",
    }),
  ),
  rule(
    [
      /executable file not found|no such file or directory|permission denied/i,
      /CannotStartContainerError|OCI runtime|exec:|exec /i,
    ],
    "CONTAINER_START_FAILED",
    true,
    (text) => ({
      message: `the container's command cannot be started: ${tail(text)}`,
      fix: "check `command` and `entryPoint` against the image; a script needs its interpreter and the executable bit",
    }),
  ),
  rule([/port is already allocated|address already in use/i], "CONTAINER_START_FAILED", false, (text) => ({
    message: `a port of the task is taken on its instance: ${tail(text)}`,
    fix: "use dynamic host ports (`hostPort` 0), the network mode awsvpc, or more instances",
  })),
  rule(
    [
      /CannotStartContainerError|CannotCreateContainerError|ContainerRuntime\w*Error|DockerTimeoutError|CannotInspectContainerError/i,
    ],
    "CONTAINER_START_FAILED",
    false,
    (text) => ({
      message: `the container cannot be started: ${tail(text)}`,
      fix: "see the reason; check command, entry point, user, mounts and ulimits of the container",
    }),
  ),
  rule(
    [
      /ResourceInitializationError|TaskFailedToStart|Timeout waiting for|Unexpected EC2 error|network interface/i,
    ],
    "TASK_START_FAILED",
    false,
    (text) => ({
      message: `the task cannot be started: ${tail(text)}`,
      fix: "see the reason; check the task's roles, subnets and security groups",
    }),
  ),
];

/** What AWS's text of a task that never started means; undefined when it tells of something else. */
export function startFailure(text: string): StartFailure | undefined {
  const found = RULES.find(({ when }) => when.every((pattern) => pattern.test(text)));
  return found && { code: found.code, fatal: found.fatal, ...found.say(text) };
}

function rule(when: readonly RegExp[], code: string, fatal: boolean, say: Rule["say"]): Rule {
  return { when, code, fatal, say };
}

/** "not found" also stands in refusals; those count as refusals. */
function notDenied(): RegExp {
  return /^(?![\s\S]*(AccessDenied|not authorized|access denied|unauthorized|forbidden|\b403\b))/i;
}

function imageDenied(text: string): { message: string; fix: string } {
  return {
    message: `the task's execution role may not pull the image${named(imageIn(text))}`,
    fix: `allow ${actionIn(text) || "ecr:GetAuthorizationToken, ecr:BatchGetImage and ecr:GetDownloadUrlForLayer"} to the execution role, and the account in the repository's policy`,
  };
}

function named(name: string): string {
  return name === "" ? "" : ` ${name}`;
}

/** The reference of an image in a text of a pull. */
function imageIn(text: string): string {
  const found =
    /(?:resolve ref|resolve reference|pull (?:and unpack )?image|manifest for|pull access denied for|the image|image) ["'`]?([\w.-]+(?::\d+)?\/[\w./@:-]+|[\w./-]+[:@][\w.:-]+|[\w.-]+\/[\w./-]+)/i.exec(
      text,
    );
  return found?.[1]?.replace(/[:.,]+$/, "") ?? "";
}

function secretIn(text: string): string {
  return (
    /arn:[\w-]+:(?:secretsmanager|ssm):[^\s,;"'\]]+/.exec(text)?.[0].replace(/[.:]+$/, "") ??
    /invalid ssm parameters: ([^\s;"']+)/i.exec(text)?.[1] ??
    ""
  );
}

function roleIn(text: string): string {
  return /arn:[\w-]+:iam::[^\s'",]+/.exec(text)?.[0] ?? "";
}

function actionIn(text: string): string {
  return /not authorized to perform: ([\w-]+:\w+)/.exec(text)?.[1] ?? "";
}

/** A text without its prefix, for one line. */
function tail(text: string): string {
  const line = text
    .replace(/\s+/g, " ")
    .replace(/^\w+Error: /, "")
    .replace(/\.$/, "")
    .trim();
  return cutAtWord(line, 300);
}
