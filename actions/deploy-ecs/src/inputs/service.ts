import type { InputReader } from "../../../../lib/inputs.ts";
import type { JsonObject } from "../definition/model.ts";
import { readObject } from "./json.ts";
import type { ServiceInputs } from "./model.ts";

const NAME = /^[A-Za-z0-9_-]{1,255}$/;
const CLUSTER_ARN = /^arn:[\w-]+:ecs:([\w-]+):\d{12}:cluster\/[\w-]{1,255}$/;
const SERVICE_ARN = /^arn:[\w-]+:ecs:([\w-]+):\d{12}:service\/(?:([\w-]{1,255})\/)?[\w-]{1,255}$/;

/** Reads which service is meant and what is said about it; unset members stay unset. */
export function readService(read: InputReader): ServiceInputs {
  const region = read.text("aws-region", "", {
    pattern: /^[a-z]{2,4}(-[a-z]+)+-\d$/,
    allowed: "a region such as `eu-west-1`",
  });
  const name = readName(read, "service", "", SERVICE_ARN);
  const cluster = readName(read, "cluster", "default", CLUSTER_ARN);
  const [, arnRegion, arnCluster] = SERVICE_ARN.exec(name) ?? [];
  if (
    arnCluster !== undefined &&
    read.given("cluster") &&
    clusterName(cluster) !== arnCluster &&
    cluster !== "default"
  ) {
    read.problem(
      `\`service\` is in the cluster \`${arnCluster}\` and \`cluster\` is \`${cluster}\`: leave \`cluster\` out`,
    );
  }
  const clusterRegion = CLUSTER_ARN.exec(cluster)?.[1];
  const regions = [
    { input: "service", is: arnRegion },
    { input: "cluster", is: clusterRegion },
    { input: "aws-region", is: region || undefined },
  ].filter(({ is }) => is !== undefined);
  if (new Set(regions.map(({ is }) => is)).size > 1) {
    const all = regions.map(
      ({ input, is }) => `\`${input}\` is ${input === "aws-region" ? "" : "in "}\`${is}\``,
    );
    read.problem(`${all.join(" and ")}: name one region; an ARN makes \`aws-region\` needless`);
  }
  return {
    region: region || (arnRegion ?? clusterRegion ?? ""),
    // The runner passes the default of action.yml as if it had been written: an ARN that names a cluster knows better.
    cluster: cluster === "default" ? (arnCluster ?? cluster) : cluster,
    name,
    forceNewDeployment: read.bool("force-new-deployment", false),
    desiredCount: read.optionalNumber("desired-count", { integer: true, min: 0, max: 100_000 }),
    propagateTags: optional(read, "propagate-tags", ["TASK_DEFINITION", "SERVICE", "NONE"]),
    enableEcsManagedTags: optionalBool(read, "enable-ecs-managed-tags"),
    volumeConfigurations: readVolume(read),
  };
}

function readName(read: InputReader, input: string, fallback: string, arn: RegExp): string {
  const value = read.text(input, fallback);
  if (value !== "" && !NAME.test(value) && !arn.test(value)) {
    read.problem(
      `\`${input}\` is \`${value}\`: allowed is a name (letters, digits, \`_\`, \`-\`, at most 255) or the ARN of a ${input}`,
    );
  }
  return value;
}

/** The last part of a cluster's name or ARN. */
export function clusterName(cluster: string): string {
  return cluster.split("/").at(-1) ?? cluster;
}

/** One of `allowed`, or undefined when the input is empty. Upper and lower case are the same here. */
export function optional<const T extends string>(
  read: InputReader,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const value = read.text(name);
  if (value === "") return undefined;
  const match = allowed.find((item) => item === value.toUpperCase());
  if (match === undefined) {
    const list = allowed.map((item) => `\`${item}\``).join(", ");
    read.problem(`\`${name}\` is \`${value}\`: allowed is ${list}`);
  }
  return match;
}

function optionalBool(read: InputReader, name: string): boolean | undefined {
  const value = optional(read, name, ["TRUE", "FALSE"]);
  return value === undefined ? undefined : value === "TRUE";
}

function readVolume(read: InputReader): readonly JsonObject[] | undefined {
  const name = read.text("service-managed-ebs-volume-name");
  const managedEBSVolume = readObject(read, "service-managed-ebs-volume");
  if (name === "" && !read.given("service-managed-ebs-volume")) return undefined;
  if (name === "" || !read.given("service-managed-ebs-volume")) {
    const [present, missing] =
      name === ""
        ? ["service-managed-ebs-volume", "service-managed-ebs-volume-name"]
        : ["service-managed-ebs-volume-name", "service-managed-ebs-volume"];
    read.problem(`\`${present}\` needs \`${missing}\`: give both or none`);
    return undefined;
  }
  if (managedEBSVolume !== undefined && typeof managedEBSVolume["roleArn"] !== "string") {
    read.problem("`service-managed-ebs-volume` has no `roleArn`: the role that ECS manages the volume with");
  }
  return managedEBSVolume && [{ name, managedEBSVolume }];
}
