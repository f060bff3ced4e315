import { FakeAwsError, type Json, type Operation, seconds } from "../types.ts";
import { readAppSpec } from "./app-spec.ts";
import { begin, type Course, goOn, stop } from "./course.ts";
import { showDeployment, showGroup, showTarget, targetId } from "./show.ts";
import type { CodeDeployment, Group } from "./state.ts";

const over: readonly string[] = ["Succeeded", "Failed", "Stopped"];

/** CodeDeploy's operations, as far as ECS services go. */
export function codeDeployOperations(course: Course): Readonly<Record<string, Operation>> {
  const { state } = course;
  return {
    CreateDeployment: (input) => ({ deploymentId: create(course, input).id }),
    GetDeployment: (input) => ({ deploymentInfo: showDeployment(findDeployment(course, input)) }),
    GetDeploymentGroup: (input) => ({ deploymentGroupInfo: showGroup(state, findGroup(course, input)) }),
    GetDeploymentConfig: (input) => ({
      deploymentConfigInfo: showConfig(course, String(input["deploymentConfigName"])),
    }),
    StopDeployment: (input) => {
      const found = findDeployment(course, input);
      if (over.includes(found.status)) {
        throw new FakeAwsError(
          "DeploymentAlreadyCompletedException",
          `The deployment ${found.id} has already completed.`,
        );
      }
      const back =
        (input["autoRollbackEnabled"] ?? found.autoRollback.includes("DEPLOYMENT_STOP_ON_REQUEST")) === true;
      stop(course, found, back);
      return { status: "Succeeded", statusMessage: "No more instances can be stopped." };
    },
    ContinueDeployment: (input) => {
      const found = findDeployment(course, input);
      if (found.status !== "Ready") {
        throw new FakeAwsError(
          "DeploymentIsNotInReadyStateException",
          "The deployment is not in the Ready state.",
        );
      }
      goOn(course, found);
      return {};
    },
    ListDeployments: (input) => ({ deployments: list(course, input).map((deployment) => deployment.id) }),
    RegisterApplicationRevision: (input) => {
      findApplication(course, input);
      readAppSpec(input["revision"] as Json);
      return {};
    },
    ListDeploymentTargets: (input) => ({ targetIds: [targetId(findDeployment(course, input))] }),
    BatchGetDeploymentTargets: (input) => {
      const ids = (input["targetIds"] ?? []) as readonly string[];
      const found = findDeployment(course, input);
      return { deploymentTargets: ids.includes(targetId(found)) ? [showTarget(found)] : [] };
    },
    GetDeploymentTarget: (input) => ({ deploymentTarget: showTarget(findDeployment(course, input)) }),
  };
}

function create(course: Course, input: Json): CodeDeployment {
  const group = findGroup(course, input);
  const busy = course.state.deployments.find((one) => one.group === group && !over.includes(one.status));
  if (busy) {
    throw new FakeAwsError(
      "DeploymentLimitExceededException",
      `The Deployment Group '${group.name}' already has an active Deployment '${busy.id}'`,
    );
  }
  const revision = input["revision"] as Json | undefined;
  if (!revision) throw new FakeAwsError("RevisionRequiredException", "A revision is required.");
  const config = String(input["deploymentConfigName"] ?? group.config);
  showConfig(course, config);
  const wanted = input["autoRollbackConfiguration"] as Json | undefined;
  const description = input["description"];
  return begin(course, {
    group,
    revision,
    spec: readAppSpec(revision),
    config,
    ...(typeof description === "string" ? { description } : {}),
    autoRollback: wanted
      ? wanted["enabled"]
        ? ((wanted["events"] ?? []) as readonly string[])
        : []
      : group.autoRollback,
  });
}

function list(course: Course, input: Json): readonly CodeDeployment[] {
  const group = input["deploymentGroupName"] === undefined ? undefined : findGroup(course, input);
  const statuses = input["includeOnlyStatuses"] as readonly string[] | undefined;
  const range = (input["createTimeRange"] ?? {}) as { readonly start?: number; readonly end?: number };
  return course.state.deployments.filter(
    (one) =>
      (group === undefined || one.group === group) &&
      (statuses === undefined || statuses.includes(one.status)) &&
      (range.start === undefined || seconds(one.createdAt) >= range.start) &&
      (range.end === undefined || seconds(one.createdAt) <= range.end),
  );
}

function findApplication(course: Course, input: Json): void {
  const name = String(input["applicationName"]);
  if (course.state.groups.some((group) => group.application === name)) return;
  throw new FakeAwsError("ApplicationDoesNotExistException", `No application found for name: ${name}`);
}

function findGroup(course: Course, input: Json): Group {
  findApplication(course, input);
  const name = String(input["deploymentGroupName"]);
  const found = course.state.groups.find(
    (one) => one.application === input["applicationName"] && one.name === name,
  );
  if (found) return found;
  throw new FakeAwsError(
    "DeploymentGroupDoesNotExistException",
    `No Deployment Group found for name: ${name}`,
  );
}

function findDeployment(course: Course, input: Json): CodeDeployment {
  const id = String(input["deploymentId"]);
  const found = course.state.deployments.find((one) => one.id === id);
  if (found) return found;
  throw new FakeAwsError("DeploymentDoesNotExistException", `The deployment ${id} could not be found`);
}

function showConfig(course: Course, name: string): Json {
  const traffic = course.state.configs.get(name);
  if (!traffic) {
    throw new FakeAwsError(
      "DeploymentConfigDoesNotExistException",
      `No Deployment Configuration found for name: ${name}`,
    );
  }
  const { type } = traffic;
  const parts =
    type === "AllAtOnce"
      ? {}
      : type === "TimeBasedCanary"
        ? { timeBasedCanary: { canaryPercentage: traffic.percent, canaryInterval: traffic.minutes } }
        : { timeBasedLinear: { linearPercentage: traffic.percent, linearInterval: traffic.minutes } };
  return { deploymentConfigName: name, computePlatform: "ECS", trafficRoutingConfig: { type, ...parts } };
}
