import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunContext } from "../../../lib/action.ts";
import { threeDigits } from "./judge.ts";
import { pageOf } from "./page.ts";
import type { ResultDocument } from "./result.ts";
import { notes, summaryOf } from "./summary.ts";
import type { Judgement } from "./verdict.ts";

/** Writes the result and the page, sets the outputs, the report's fields and the summary. */
export function publish(result: ResultDocument, context: RunContext): void {
  const { draft, mask, log, github } = context;
  const clean = mask.redactJson(result);
  const folder = join(github.temp, "goci", `load-test-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const resultPath = join(folder, "result.json");
  const htmlPath = join(folder, "report.html");
  writeFileSync(resultPath, `${JSON.stringify(clean)}\n`);
  writeFileSync(htmlPath, pageOf(clean));
  draft.output("result-path", resultPath);
  draft.output("html-path", htmlPath);
  setNumbers(clean, context);
  const { seconds: _seconds, histograms: _histograms, schema: _schema, ...fields } = clean;
  draft.set("load", fields);
  draft.summary = summaryOf(clean);
  for (const line of logLines(clean)) log.info(line);
}

/** A run that never got to send load: its verdict and its reason are all there is. */
export function publishNothing(judgement: Judgement, context: RunContext): void {
  context.draft.output("verdict", judgement.verdict);
  context.draft.output("reason", judgement.reason);
  context.draft.output("requests", 0);
}

function setNumbers(result: ResultDocument, context: RunContext): void {
  const { draft } = context;
  const put = (name: string, value: number | null) => {
    if (value !== null) draft.output(name, Number(value.toFixed(3)));
  };
  draft.output("verdict", result.verdict);
  draft.output("reason", result.reason);
  put("requests", result.requests);
  put("rps", result.rps);
  put("achieved-rate-ratio", floored(result.generator.achievedRateRatio));
  put("error-rate", result.errorPercent);
  put("p50", result.latency.p50);
  put("p90", result.latency.p90);
  put("p95", result.latency.p95);
  put("p99", result.latency.p99);
  put("p999", result.latency.p999);
  put("max", result.latency.max);
  put("max-rate-found", result.maxRateFound ?? null);
  if (result.baseline?.compared) put("baseline-delta-p95", result.baseline.delta * 100);
  put("service-p50", result.service.p50);
  put("service-p95", result.service.p95);
  put("service-p99", result.service.p99);
}

/** 0.97996 must not be shown as the 0.98 that it is not. */
function floored(ratio: number | null): number | null {
  return ratio === null ? null : Math.floor(ratio * 1000) / 1000;
}

function logLines(result: ResultDocument): string[] {
  const value = (ms: number | null) => (ms === null ? "-" : threeDigits(ms));
  const { latency, service } = result;
  return [
    `${result.requests} requests, ${result.failed} failed, ${threeDigits(result.rps)} answers/s`,
    `latency from due time: p50 ${value(latency.p50)}, p95 ${value(latency.p95)}, p99 ${value(latency.p99)}, max ${value(latency.max)} ms`,
    `latency from send: p50 ${value(service.p50)}, p95 ${value(service.p95)}, p99 ${value(service.p99)} ms`,
    ...result.failures.map(
      (item) =>
        `failed: ${item.count} ${item.class}, ${item.first} to ${item.last} (${item.details.join(", ")})`,
    ),
    ...result.thresholds.map(
      (item) =>
        `${item.text}: ${item.outcome}${item.value === null ? "" : ` at ${threeDigits(item.value)} ${item.unit}`}`,
    ),
    ...notes(result),
    `verdict ${result.verdict}: ${result.reason}`,
  ];
}
