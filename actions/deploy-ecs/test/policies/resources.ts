/** What a policy has to say of one IAM action. */
export interface Grant {
  /** ARNs in which the capitals are the user's to fill in; `*` where AWS knows no resource for the action. */
  readonly resources: readonly string[];
  readonly condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

const ECS = "arn:aws:ecs:REGION:ACCOUNT";
const CODEDEPLOY = "arn:aws:codedeploy:REGION:ACCOUNT";
const IN_CLUSTER = { ArnEquals: { "ecs:cluster": `${ECS}:cluster/CLUSTER` } };
const ROLES = ["arn:aws:iam::ACCOUNT:role/TASK_ROLE", "arn:aws:iam::ACCOUNT:role/EXECUTION_ROLE"];

/**
 * The narrowest resource and condition of each action, from AWS's service
 * authorization reference.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
 */
export const GRANTS: Readonly<Record<string, Grant>> = {
  "ecs:DescribeServices": { resources: [`${ECS}:service/CLUSTER/SERVICE`] },
  "ecs:UpdateService": { resources: [`${ECS}:service/CLUSTER/SERVICE`] },
  "ecs:DescribeTaskDefinition": { resources: ["*"] },
  "ecs:RegisterTaskDefinition": { resources: ["*"] },
  "ecs:ListTaskDefinitions": { resources: ["*"] },
  "ecs:DeregisterTaskDefinition": { resources: ["*"] },
  "ecs:ListTasks": { resources: ["*"], condition: IN_CLUSTER },
  "ecs:DescribeTasks": { resources: [`${ECS}:task/CLUSTER/*`] },
  "ecs:StopTask": { resources: [`${ECS}:task/CLUSTER/*`] },
  "ecs:RunTask": { resources: [`${ECS}:task-definition/FAMILY:*`], condition: IN_CLUSTER },
  "ecs:DescribeTaskSets": { resources: [`${ECS}:task-set/CLUSTER/SERVICE/*`] },
  "ecs:TagResource": {
    resources: [`${ECS}:task-definition/FAMILY:*`, `${ECS}:task/CLUSTER/*`],
    condition: { StringEquals: { "ecs:CreateAction": ["RegisterTaskDefinition", "RunTask"] } },
  },
  "ecs:ListServiceDeployments": { resources: [`${ECS}:service/CLUSTER/SERVICE`] },
  "ecs:DescribeServiceDeployments": { resources: [`${ECS}:service-deployment/CLUSTER/SERVICE/*`] },
  "ecs:StopServiceDeployment": { resources: [`${ECS}:service-deployment/CLUSTER/SERVICE/*`] },
  "ecs:ContinueServiceDeployment": { resources: [`${ECS}:service-deployment/CLUSTER/SERVICE/*`] },
  "ecs:DescribeServiceRevisions": { resources: [`${ECS}:service-revision/CLUSTER/SERVICE/*`] },
  "iam:PassRole": {
    resources: ROLES,
    condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
  },
  "logs:GetLogEvents": { resources: ["arn:aws:logs:REGION:ACCOUNT:log-group:LOG_GROUP:log-stream:*"] },
  "elasticloadbalancing:DescribeTargetHealth": { resources: ["*"] },
  "elasticloadbalancing:DescribeTargetGroups": { resources: ["*"] },
  "codedeploy:GetDeploymentGroup": { resources: [`${CODEDEPLOY}:deploymentgroup:APPLICATION/GROUP`] },
  "codedeploy:CreateDeployment": { resources: [`${CODEDEPLOY}:deploymentgroup:APPLICATION/GROUP`] },
  "codedeploy:GetDeployment": { resources: [`${CODEDEPLOY}:deploymentgroup:APPLICATION/GROUP`] },
  "codedeploy:ListDeployments": { resources: [`${CODEDEPLOY}:deploymentgroup:APPLICATION/GROUP`] },
  "codedeploy:ContinueDeployment": { resources: [`${CODEDEPLOY}:deploymentgroup:APPLICATION/GROUP`] },
  "codedeploy:StopDeployment": { resources: [`${CODEDEPLOY}:deploymentgroup:APPLICATION/GROUP`] },
  "codedeploy:ListDeploymentTargets": { resources: [`${CODEDEPLOY}:deploymentgroup:APPLICATION/GROUP`] },
  "codedeploy:BatchGetDeploymentTargets": { resources: [`${CODEDEPLOY}:deploymentgroup:APPLICATION/GROUP`] },
  "codedeploy:GetDeploymentTarget": { resources: [`${CODEDEPLOY}:deploymentgroup:APPLICATION/GROUP`] },
  "codedeploy:GetDeploymentConfig": { resources: [`${CODEDEPLOY}:deploymentconfig:*`] },
  "codedeploy:RegisterApplicationRevision": { resources: [`${CODEDEPLOY}:application:APPLICATION`] },
  "codedeploy:GetApplicationRevision": { resources: [`${CODEDEPLOY}:application:APPLICATION`] },
  "events:ListTargetsByRule": { resources: ["arn:aws:events:REGION:ACCOUNT:rule/RULE"] },
  "events:PutTargets": { resources: ["arn:aws:events:REGION:ACCOUNT:rule/RULE"] },
  "scheduler:GetSchedule": {
    resources: ["arn:aws:scheduler:REGION:ACCOUNT:schedule/SCHEDULE_GROUP/SCHEDULE"],
  },
  "scheduler:UpdateSchedule": {
    resources: ["arn:aws:scheduler:REGION:ACCOUNT:schedule/SCHEDULE_GROUP/SCHEDULE"],
  },
};
