import { list } from "../../../../lib/aws/answers.ts";
import type { AwsCall, AwsCallOptions } from "../../../../lib/aws/call.ts";

/** One target of a target group and how the load balancer finds it. */
export interface TargetHealth {
  readonly Target?: { readonly Id?: string; readonly Port?: number; readonly AvailabilityZone?: string };
  readonly HealthCheckPort?: string;
  readonly TargetHealth?: {
    /** initial, healthy, unhealthy, unhealthy.draining, unused, draining or unavailable. */
    readonly State?: string;
    /** `Target.ResponseCodeMismatch`, `Target.Timeout`, `Target.FailedHealthChecks`, ... */
    readonly Reason?: string;
    readonly Description?: string;
  };
}

/** What a target group checks, and how patiently. */
export interface TargetGroup {
  readonly TargetGroupArn?: string;
  readonly TargetGroupName?: string;
  /** instance, ip, lambda or alb. */
  readonly TargetType?: string;
  readonly HealthCheckPath?: string;
  readonly HealthCheckIntervalSeconds?: number;
  readonly HealthyThresholdCount?: number;
  readonly Matcher?: { readonly HttpCode?: string; readonly GrpcCode?: string };
}

/** Elastic Load Balancing v2, as far as this action calls it. */
export interface ElbApi {
  describeTargetHealth(targetGroupArn: string, options?: AwsCallOptions): Promise<readonly TargetHealth[]>;
  describeTargetGroups(arns: readonly string[], options?: AwsCallOptions): Promise<readonly TargetGroup[]>;
}

/** The real thing over `call`. */
export function elbApi(call: AwsCall): ElbApi {
  return {
    describeTargetHealth: async (TargetGroupArn, options) => {
      const answer = await call("elbv2", "DescribeTargetHealth", { TargetGroupArn }, options);
      return list<TargetHealth>(answer["TargetHealthDescriptions"]);
    },
    describeTargetGroups: async (TargetGroupArns, options) => {
      const answer = await call("elbv2", "DescribeTargetGroups", { TargetGroupArns }, options);
      return list<TargetGroup>(answer["TargetGroups"]);
    },
  };
}
