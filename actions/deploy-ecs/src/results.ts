import type { RunContext } from "../../../lib/action.ts";
import { escapeMarkdown, table } from "../../../lib/summary.ts";
import { consoleUrl } from "./console.ts";
import type { Inputs } from "./inputs.ts";
import type { Tally } from "./target/tally.ts";

/** Sets the outputs that the run learned by itself, its part of the report and of the summary. */
export function publish(
  context: Pick<RunContext, "draft" | "clock">,
  inputs: Inputs,
  tally: Tally,
  region: string,
): void {
  const { draft, clock } = context;
  const rolledBack = draft.outputs.get("rolled-back") === "true";
  const back = rolledBack ? tally.backTo : "";
  const backSeconds = tally.backSince > 0 ? ((clock.now() - tally.backSince) / 1000).toFixed(1) : "";
  draft.output("task-definition-arn", tally.revision);
  draft.output("previous-task-definition-arn", tally.previous);
  draft.output("rollback-task-definition-arn", back);
  draft.output("rollback-seconds", backSeconds);
  draft.output("deployment-id", tally.deployment);
  draft.output("service-deployment-arn", tally.serviceDeployment);
  draft.output("codedeploy-deployment-id", tally.codeDeployDeployment);
  draft.output("run-task-arn", tally.tasks.length > 0 ? JSON.stringify(tally.tasks) : "");
  draft.output("run-task-exit-code", tally.taskExitCode ?? "");
  draft.output("image-digests", Object.keys(tally.digests).length > 0 ? JSON.stringify(tally.digests) : "");
  draft.output("url", inputs.health.url);
  if (tally.healthStatus > 0) draft.output("health-status", tally.healthStatus);
  const place = { cluster: inputs.service.cluster, service: inputs.service.name, region };
  const page = consoleUrl({
    ...place,
    serviceDeploymentArn: tally.serviceDeployment,
    taskDefinitionArn: tally.revision,
  });
  draft.output("console-url", page);
  if (tally.revision !== "") {
    draft.made({ type: "task-definition", name: tally.revision, digest: tally.digest });
  }
  for (const [container, digest] of Object.entries(tally.digests)) {
    draft.used({ type: "image", name: container, digest });
  }
  draft.set("deployment", { ...tally, digests: tally.digests });
  draft.summary += `\n${summaryTable(tally, page, back)}`;
}

function summaryTable(tally: Tally, page: string, back: string): string {
  const short = (arn: string) => escapeMarkdown(arn.split("task-definition/").at(-1) ?? arn);
  const rows: string[][] = [];
  const row = (what: string, value: string) => value !== "" && rows.push([what, value]);
  row("task definition", short(tally.revision));
  row("before", short(tally.previous));
  row("serves again", short(back));
  row("deployment", escapeMarkdown(tally.deployment || tally.codeDeployDeployment));
  for (const [container, digest] of Object.entries(tally.digests)) {
    row(`image of ${escapeMarkdown(container)}`, escapeMarkdown(digest));
  }
  row("console", page === "" ? "" : `[open](${page})`);
  return rows.length === 0 ? "" : table(["what", "value"], rows);
}
