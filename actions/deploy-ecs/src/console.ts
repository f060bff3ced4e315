import { clusterName } from "./inputs/service.ts";

/** What a page of the AWS console can show. */
export interface ConsolePlace {
  /** "" when unknown: then there is no page. */
  readonly region: string;
  /** Name or ARN. */
  readonly cluster: string;
  /** Name or ARN; "" shows the task definition instead. */
  readonly service: string;
  readonly serviceDeploymentArn: string;
  readonly taskDefinitionArn: string;
}

/**
 * The page of this run's deployment, else of the service, else of the task
 * definition; "" in a partition whose console's address is not public.
 */
export function consoleUrl(place: ConsolePlace): string {
  const { region } = place;
  const host = consoleHost(region);
  if (host === "") return "";
  const page = pageOf(place);
  return page === "" ? "" : `https://${host}/ecs/v2/${page}?region=${encodeURIComponent(region)}`;
}

/** https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html, the consoles of the partitions. */
function consoleHost(region: string): string {
  if (!/^[a-z]{2,4}(-[a-z]+)+-\d$/.test(region)) return "";
  if (region.startsWith("cn-")) return `${region}.console.amazonaws.cn`;
  if (region.startsWith("us-gov-")) return "console.amazonaws-us-gov.com";
  if (region.startsWith("us-iso") || region.startsWith("eu-iso") || region.startsWith("eusc-")) return "";
  return `${region}.console.aws.amazon.com`;
}

function pageOf(place: ConsolePlace): string {
  const part = (text: string) => encodeURIComponent(text.split("/").at(-1) ?? text);
  if (place.service !== "") {
    const service = `clusters/${encodeURIComponent(clusterName(place.cluster))}/services/${part(place.service)}`;
    return place.serviceDeploymentArn === ""
      ? `${service}/deployments`
      : `${service}/deployments/${part(place.serviceDeploymentArn)}`;
  }
  const [family, revision] = (place.taskDefinitionArn.split("task-definition/")[1] ?? "").split(":");
  if (!family) return "";
  const definition = `task-definitions/${encodeURIComponent(family)}`;
  return revision === undefined ? definition : `${definition}/${encodeURIComponent(revision)}`;
}
