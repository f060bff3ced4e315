import type { InputReader } from "../../../../lib/inputs.ts";
import type { Edits } from "../definition/model.ts";
import type { Inputs } from "./model.ts";

/** Inputs that only a service can be asked for. */
const NEED_SERVICE = [
  "desired-count",
  "codedeploy-application",
  "codedeploy-deployment-group",
  "codedeploy-appspec",
  "codedeploy-deployment-description",
  "codedeploy-deployment-config",
  "service-managed-ebs-volume-name",
  "health-check-url",
];

/** Notes what contradicts itself across inputs. */
export function readPairs(read: InputReader, inputs: Inputs): void {
  if (inputs.service.name === "") checkWithoutService(read, inputs);
  checkWaiting(read, inputs);
  checkEnvironment(read, inputs.edits);
  checkImages(read, inputs.edits);
}

function checkWithoutService(read: InputReader, inputs: Inputs): void {
  if (inputs.source.kind === "running" && !read.given("task-definition")) {
    read.problem(
      "`task-definition` or `service` is required: without a service nothing says what to register",
    );
  }
  for (const name of NEED_SERVICE) {
    if (read.given(name)) read.problem(`\`${name}\` needs \`service\``);
  }
  if (inputs.service.forceNewDeployment) read.problem("`force-new-deployment` needs `service`");
  if (inputs.watch.until !== "completed") read.problem("`wait-until` needs `service`");
}

function checkWaiting(read: InputReader, inputs: Inputs): void {
  if (inputs.watch.wait) return;
  const unproven = "with `wait-for-service-stability: false` nothing is proven";
  if (read.given("health-check-url"))
    read.problem(`\`health-check-url\` is given, but ${unproven}: leave one out`);
  if (inputs.watch.until !== "completed") {
    read.problem(`\`wait-until\` is \`${inputs.watch.until}\`, but ${unproven}: leave one out`);
  }
  if (inputs.schedules.length > 0 && inputs.service.name !== "") {
    read.problem(`\`schedules\` are moved after success only, but ${unproven}: leave one out`);
  }
}

function checkEnvironment(read: InputReader, edits: Edits): void {
  const secrets = new Set(edits.secrets.map(nameOf));
  const removed = new Set(edits.remove.map(nameOf));
  for (const name of new Set(edits.environment.map(nameOf))) {
    if (secrets.has(name))
      read.problem(`\`${name}\` is in \`environment-variables\` and in \`secrets\`: give it once`);
  }
  for (const name of new Set([...edits.environment, ...edits.secrets].map(nameOf))) {
    if (removed.has(name)) {
      read.problem(`\`${name}\` is set and in \`remove-environment-variables\`: leave it out of one`);
    }
  }
  if (edits.mode === "merge") return;
  if (edits.remove.length > 0) {
    read.problem(
      "`remove-environment-variables` means nothing with `environment-mode: replace`, which keeps only what is given: leave one out",
    );
  }
  if (edits.environment.length === 0 && edits.secrets.length === 0) {
    read.problem(
      "`environment-mode` is `replace` and neither `environment-variables` nor `secrets` is given: to empty an environment say so in `task-definition-patch`",
    );
  }
}

function checkImages(read: InputReader, edits: Edits): void {
  if (edits.image === "") return;
  for (const name of edits.containers) {
    const other = edits.images.get(name);
    if (other !== undefined && other !== edits.image) {
      read.problem(`\`image\` and \`images\` give the container \`${name}\` different images: leave one out`);
    }
  }
}

function nameOf(item: { readonly container: string; readonly key: string }): string {
  return item.container === "" ? item.key : `${item.container}:${item.key}`;
}
