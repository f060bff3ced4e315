import type { FakeTask, Place } from "./state.ts";

/** A task that never starts: AWS's words, and whether they stand with the container as well. */
export interface StartFailure {
  readonly reason: string;
  readonly container: boolean;
}

/** Why a task does not start, in the words of Fargate 1.4; undefined when it does. */
export function startFailure(place: Place, task: FakeTask): StartFailure | undefined {
  const { behaviour } = task;
  const [container] = (task.definition.body["containerDefinitions"] ?? []) as readonly { image?: string }[];
  const image = container?.image ?? "image";
  switch (behaviour.kind) {
    case "image-not-found":
      return pull(`failed to resolve ref ${image}: ${image}: not found`);
    case "image-denied":
      return pull(
        `failed to resolve ref ${image}: pulling from host ${image.split("/")[0]} failed with status code [manifests ` +
          `${image.split(":").at(-1)}]: 403 Forbidden`,
      );
    case "secret-not-found":
      return secret(
        "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        behaviour.secret ?? secretArn(place),
      );
    case "secret-denied": {
      const arn = behaviour.secret ?? secretArn(place);
      return secret(
        `AccessDeniedException: User: arn:${place.partition}:sts::${place.account}:assumed-role/execution/${task.id} is not ` +
          `authorized to perform: secretsmanager:GetSecretValue on resource: ${arn} because no identity-based policy ` +
          "allows the secretsmanager:GetSecretValue action",
        arn,
      );
    }
    default:
      return undefined;
  }
}

function pull(text: string): StartFailure {
  return {
    reason: `CannotPullContainerError: pull image manifest has been retried 1 time(s): ${text}`,
    container: true,
  };
}

function secret(text: string, arn: string): StartFailure {
  return {
    reason:
      "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable " +
      `to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret ${arn} from secrets ` +
      `manager: ${text}`,
    container: false,
  };
}

function secretArn(place: Place): string {
  return `arn:${place.partition}:secretsmanager:${place.region}:${place.account}:secret:app/secret-AbCdEf`;
}

/** The load balancer's description of a reason code. */
export function elbReason(code: string): string {
  switch (code) {
    case "Target.Timeout":
      return "Request timed out";
    case "Target.FailedHealthChecks":
      return "Health checks failed";
    default:
      return "Health checks failed with these codes: [500]";
  }
}

/** The event of a service that cannot place a task. */
export function placementReason(reason: string | undefined): string {
  return (
    reason ??
    "Capacity is unavailable at this time. Please try again later or in a different availability zone"
  );
}
