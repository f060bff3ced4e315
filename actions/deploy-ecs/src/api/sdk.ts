import type { SdkLoaders } from "../../../../lib/aws/client.ts";

/** The SDK's parts that this action uses, each loaded at its first call: most runs need ECS alone. */
export const loaders: SdkLoaders = {
  ecs: async () => {
    const sdk = await import("@aws-sdk/client-ecs");
    return { Client: sdk.ECSClient, commands: { ...sdk }, protocol: "json" };
  },
  logs: async () => {
    const { CloudWatchLogsClient, GetLogEventsCommand } = await import("@aws-sdk/client-cloudwatch-logs");
    return { Client: CloudWatchLogsClient, commands: { GetLogEventsCommand }, protocol: "json" };
  },
  elbv2: async () => {
    const { ElasticLoadBalancingV2Client, DescribeTargetGroupsCommand, DescribeTargetHealthCommand } =
      await import("@aws-sdk/client-elastic-load-balancing-v2");
    const commands = { DescribeTargetGroupsCommand, DescribeTargetHealthCommand };
    return { Client: ElasticLoadBalancingV2Client, commands, protocol: "query" };
  },
  codedeploy: async () => {
    const sdk = await import("@aws-sdk/client-codedeploy");
    return { Client: sdk.CodeDeployClient, commands: { ...sdk }, protocol: "json" };
  },
  events: async () => {
    const { EventBridgeClient, ListTargetsByRuleCommand, PutTargetsCommand } = await import(
      "@aws-sdk/client-eventbridge"
    );
    return {
      Client: EventBridgeClient,
      commands: { ListTargetsByRuleCommand, PutTargetsCommand },
      protocol: "json",
    };
  },
  scheduler: async () => {
    const { SchedulerClient, GetScheduleCommand, UpdateScheduleCommand } = await import(
      "@aws-sdk/client-scheduler"
    );
    return {
      Client: SchedulerClient,
      commands: { GetScheduleCommand, UpdateScheduleCommand },
      protocol: { inPath: ["Name"], inQuery: ["GroupName"] },
    };
  },
};
