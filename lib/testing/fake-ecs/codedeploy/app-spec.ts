import { createHash } from "node:crypto";
import { parse } from "yaml";
import { FakeAwsError, type Json } from "../types.ts";
import type { AppSpec } from "./state.ts";

/** Reads the appspec of a revision (JSON or YAML), as CodeDeploy does for an ECS service. */
export function readAppSpec(revision: Json): AppSpec {
  const text = contentOf(revision);
  const document = parseSafely(text);
  const [resource] = (document["Resources"] ?? document["resources"] ?? []) as readonly Json[];
  const target = (resource?.["TargetService"] ?? resource?.["targetService"]) as Json | undefined;
  if (target?.["Type"] !== "AWS::ECS::Service") throw invalid("it has no resource of type AWS::ECS::Service");
  const properties = (target["Properties"] ?? {}) as Json;
  const taskDefinition = properties["TaskDefinition"];
  if (typeof taskDefinition !== "string" || !taskDefinition.startsWith("arn:")) {
    throw invalid("TaskDefinition must be an ARN");
  }
  const balancer = properties["LoadBalancerInfo"] as Json | undefined;
  if (!balancer?.["ContainerName"] || balancer["ContainerPort"] === undefined) {
    throw invalid("LoadBalancerInfo needs ContainerName and ContainerPort");
  }
  const hooks = ((document["Hooks"] ?? []) as readonly Json[]).flatMap((hook) => Object.entries(hook));
  return {
    taskDefinition,
    containerName: String(balancer["ContainerName"]),
    containerPort: Number(balancer["ContainerPort"]),
    ...(typeof properties["PlatformVersion"] === "string"
      ? { platformVersion: properties["PlatformVersion"] }
      : {}),
    ...(properties["NetworkConfiguration"]
      ? { networkConfiguration: networkOf(properties["NetworkConfiguration"] as Json) }
      : {}),
    ...(properties["CapacityProviderStrategy"]
      ? {
          capacityProviderStrategy: (properties["CapacityProviderStrategy"] as readonly Json[]).map(
            lowerCased,
          ),
        }
      : {}),
    hooks: Object.fromEntries(hooks.map(([name, value]) => [name, String(value)])),
  };
}

function contentOf(revision: Json): string {
  const type = revision["revisionType"];
  const holder = (type === "AppSpecContent" ? revision["appSpecContent"] : revision["string"]) as
    | Json
    | undefined;
  if (type !== "AppSpecContent" && type !== "String")
    throw invalid("only AppSpecContent and String are played here");
  const text = String(holder?.["content"] ?? "");
  const written = holder?.["sha256"];
  if (written !== undefined && written !== createHash("sha256").update(text).digest("hex")) {
    throw invalid("the sha256 does not fit the content");
  }
  return text;
}

function parseSafely(text: string): Json {
  let document: unknown;
  try {
    document = parse(text);
  } catch {
    throw invalid("it is neither JSON nor YAML");
  }
  if (typeof document !== "object" || document === null) throw invalid("it is empty");
  return document as Json;
}

function networkOf(written: Json): Json {
  const vpc = (written["AwsvpcConfiguration"] ?? {}) as Json;
  return { awsvpcConfiguration: lowerCased(vpc) };
}

/** The appspec writes the names of ECS's members with a capital letter. */
function lowerCased(members: Json): Json {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      `${name[0]?.toLowerCase() ?? ""}${name.slice(1)}`,
      value,
    ]),
  );
}

function invalid(why: string): FakeAwsError {
  return new FakeAwsError("InvalidRevisionException", `The AppSpec content is not valid: ${why}.`);
}
