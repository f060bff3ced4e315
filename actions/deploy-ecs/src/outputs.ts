import { formatDuration } from "../../../lib/clock.ts";
import type { ReportDraft } from "../../../lib/report.ts";
import { escapeMarkdown, table } from "../../../lib/summary.ts";
import { type ConsolePlace, consoleUrl } from "./console.ts";
import { digestIn } from "./definition/images.ts";
import type { ContainerImage, Difference } from "./definition/model.ts";

/** Every output of action.yml. */
export const OUTPUTS = [
  "outcome",
  "changed",
  "rolled-back",
  "failure-code",
  "failure-reason",
  "duration-seconds",
  "url",
  "health-status",
  "report",
  "task-definition-arn",
  "previous-task-definition-arn",
  "rollback-task-definition-arn",
  "rollback-seconds",
  "deployment-id",
  "service-deployment-arn",
  "codedeploy-deployment-id",
  "run-task-arn",
  "run-task-exit-code",
  "image-digests",
  "console-url",
] as const;

/** What a run has learned and done, as far as it came; "" and undefined for what never was. */
export interface Facts {
  readonly place: Pick<ConsolePlace, "region" | "cluster" | "service">;
  /** ARN of the revision that is deployed. */
  readonly revision: string;
  /** `sha256:...` of its task definition; "" when nothing was deployed. */
  readonly digest: string;
  /** The images that it names. */
  readonly images: readonly ContainerImage[];
  /** ARN of the revision that the service ran before. */
  readonly previous: string;
  readonly differences: readonly Difference[];
  readonly deploymentId: string;
  readonly serviceDeploymentArn: string;
  readonly codeDeployId: string;
  readonly taskArns: readonly string[];
  readonly taskExitCode: number | undefined;
  /** Container name to `sha256:...`, as ECS resolved the images. */
  readonly imageDigests: Readonly<Record<string, string>>;
  /** Where the way back went ("" when it did not arrive) and how long it took, milliseconds. */
  readonly wayBack: { readonly revision: string; readonly ms: number } | undefined;
  readonly healthUrl: string;
  /** Last status of the health check; 0: none. */
  readonly healthStatus: number;
}

/** Phases that took less are not worth a word. */
const SHORTEST_MS = 100;

/** Sets what the run has learned by itself: outputs, fields of the report, and the action's part of the summary. */
export function publish(draft: ReportDraft, facts: Facts): void {
  const url = consoleUrl({
    ...facts.place,
    serviceDeploymentArn: facts.serviceDeploymentArn,
    taskDefinitionArn: facts.revision,
  });
  const images = imagesOf(facts);
  setOutputs(draft, facts, url, images);
  draft.set("service", facts.place.service);
  draft.set("cluster", facts.place.cluster);
  draft.set("region", facts.place.region);
  draft.set("taskDefinition", { before: facts.previous, after: facts.revision });
  draft.set("differences", facts.differences);
  draft.set("images", images);
  for (const { image, digest } of images) draft.used({ type: "image", name: image, digest });
  if (facts.revision !== "" && facts.digest !== "") {
    draft.made({ type: "task-definition", name: facts.revision, digest: facts.digest });
  }
  draft.summary += `\n${summaryOf(draft, facts, url, images)}`;
}

interface Image extends ContainerImage {
  /** `sha256:...`, "" where nobody knows it. */
  readonly digest: string;
}

function imagesOf(facts: Facts): readonly Image[] {
  return facts.images.map(({ container, image }) => {
    const resolved = facts.imageDigests[container] ?? "";
    return { container, image, digest: /^sha256:[0-9a-f]{64}$/.test(resolved) ? resolved : digestIn(image) };
  });
}

function setOutputs(draft: ReportDraft, facts: Facts, url: string, images: readonly Image[]): void {
  const digests = images
    .filter((image) => image.digest !== "")
    .map((image) => [image.container, image.digest]);
  const outputs: Readonly<Record<string, string | number>> = {
    "task-definition-arn": facts.revision,
    "previous-task-definition-arn": facts.previous,
    "rollback-task-definition-arn": facts.wayBack?.revision ?? "",
    "rollback-seconds": facts.wayBack === undefined ? "" : (facts.wayBack.ms / 1000).toFixed(1),
    "deployment-id": facts.deploymentId,
    "service-deployment-arn": facts.serviceDeploymentArn,
    "codedeploy-deployment-id": facts.codeDeployId,
    "run-task-arn": facts.taskArns.length === 0 ? "" : JSON.stringify(facts.taskArns),
    "run-task-exit-code": facts.taskExitCode ?? "",
    "image-digests": JSON.stringify(Object.fromEntries(digests)),
    "console-url": url,
    url: facts.healthUrl,
    "health-status": facts.healthStatus > 0 ? facts.healthStatus : "",
  };
  for (const [name, value] of Object.entries(outputs)) draft.output(name, value);
}

function summaryOf(draft: ReportDraft, facts: Facts, url: string, images: readonly Image[]): string {
  const rows: (readonly [string, string])[] = [
    ["service", facts.place.service && `${facts.place.service} on ${facts.place.cluster}`],
    ["before", shortName(facts.previous)],
    ["after", shortName(facts.revision)],
    ...images.map(({ container, image, digest }): [string, string] => [
      `image of ${container}`,
      withDigest(image, digest),
    ]),
    ["deployment", facts.codeDeployId || facts.deploymentId],
    ["one-off task", taskText(facts)],
    ["health check", facts.healthStatus > 0 ? `status ${facts.healthStatus}` : ""],
    [
      "gone back",
      facts.wayBack?.revision
        ? `to ${shortName(facts.wayBack.revision)} in ${formatDuration(facts.wayBack.ms)}`
        : "",
    ],
    ["time", phaseTimes(draft)],
  ];
  const told = rows.filter(([, value]) => value !== "").map((row) => row.map((cell) => escapeMarkdown(cell)));
  const link = url === "" ? "" : `\n[AWS console](${url})\n`;
  return `${table(["", ""], told)}${link}`;
}

function withDigest(image: string, digest: string): string {
  return digest === "" || image.includes(digest) ? image : `${image} (${digest})`;
}

function taskText(facts: Facts): string {
  if (facts.taskArns.length === 0) return "";
  const names = facts.taskArns.map((arn) => arn.split("/").at(-1) ?? arn).join(", ");
  return facts.taskExitCode === undefined ? names : `${names}, exit code ${facts.taskExitCode}`;
}

/** `look 0.2 s, watch 61 s`: the phases that took time, each name once. */
function phaseTimes(draft: ReportDraft): string {
  const times = new Map<string, number>();
  for (const { name, ms } of draft.phases) times.set(name, (times.get(name) ?? 0) + ms);
  const told = [...times].filter(([, ms]) => ms >= SHORTEST_MS);
  return told.map(([name, ms]) => `${name} ${formatDuration(ms)}`).join(", ");
}

/** `shop:12` for its ARN. */
function shortName(arn: string): string {
  return arn.split("task-definition/").at(-1) ?? arn;
}
