import { expect } from "@jest/globals";
import type { GroupSetup } from "../../../lib/testing/fake-ecs/codedeploy/set-up.ts";
import type { ServiceSetup } from "../../../lib/testing/fake-ecs/set-up.ts";
import type { FakeAws } from "../../../lib/testing/fake-ecs/world.ts";
import { type Story, type Told, tell } from "./story.ts";

/** A service `app` under CODE_DEPLOY with its group. */
export function arranged(
  group: GroupSetup = {},
  service: ServiceSetup = {},
  more: (aws: FakeAws) => void = () => {},
) {
  return (aws: FakeAws) => {
    aws.addService({ controller: "CODE_DEPLOY", targetGroup: "app", ...service });
    aws.addDeploymentGroup("app", group);
    more(aws);
  };
}

/** The world's own truth: the image that serves, and how many task sets there are. */
export function serves({ aws }: Told): string {
  const { deployments } = aws.service();
  const primary = deployments.find(({ status }) => status === "PRIMARY");
  const containers = primary?.revision.definition.body["containerDefinitions"] as { image: string }[];
  return String(containers[0]?.image);
}

/** How often an operation was called. */
export const count = ({ calls }: Told, operation: string) => calls.filter((one) => one === operation).length;
/** A run for `app:2` in a plain world, unless told otherwise. */
export const story = (more: Story): Promise<Told> =>
  tell({ inputs: { image: "app:2", service: "app" }, arrange: arranged(), ...more });

/** AWS would have understood every call. */
export function expectHonest(told: Told): void {
  expect(told.aws.violations).toEqual([]);
  // The service is CodeDeploy's to change.
  expect(count(told, "UpdateService")).toBe(0);
}

/** Somebody else's deployment of `app:9` through the same group. */
export function someoneElse(aws: FakeAws): void {
  const registered = aws.ecs.operations["RegisterTaskDefinition"]?.({
    ...aws.service().definition.body,
    containerDefinitions: [
      { name: "app", image: "app:9", essential: true, portMappings: [{ containerPort: 3000 }] },
    ],
  }) as { taskDefinition: { taskDefinitionArn: string } };
  const content = JSON.stringify({
    version: 0,
    Resources: [
      {
        TargetService: {
          Type: "AWS::ECS::Service",
          Properties: {
            TaskDefinition: registered.taskDefinition.taskDefinitionArn,
            LoadBalancerInfo: { ContainerName: "app", ContainerPort: 3000 },
          },
        },
      },
    ],
  });
  const made = aws.call("codedeploy", "CreateDeployment", {
    applicationName: "AppECS-default-app",
    deploymentGroupName: "DgpECS-default-app",
    revision: { revisionType: "AppSpecContent", appSpecContent: { content } },
  });
  aws.calls.pop();
  // While ours is under way CodeDeploy takes no other.
  made.catch(() => {});
}

/** Somebody stops what runs, in the console. */
export function stopByHand(aws: FakeAws): void {
  void aws
    .call("codedeploy", "ListDeployments", {
      applicationName: "AppECS-default-app",
      deploymentGroupName: "DgpECS-default-app",
    })
    .then(async ({ deployments }) => {
      aws.calls.pop();
      await aws.call("codedeploy", "StopDeployment", {
        deploymentId: (deployments as string[])[0],
        autoRollbackEnabled: true,
      });
      aws.calls.pop();
    });
}
