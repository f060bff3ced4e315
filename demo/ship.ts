import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../lib/testing/sshd.ts";
import { type ActResult, type ActRun, startAct } from "./act.ts";
import { type Cloud, primaryOf, startCloud } from "./cloud.ts";
import type { DeliveryOptions } from "./deliveries.ts";
import { outputOf, servingVersion } from "./evidence.ts";
import { startLoad } from "./load.ts";
import { makeProject } from "./project.ts";
import { judgeShipment, SHIPMENTS, type Shipment, type ShipmentEvidence } from "./shipments.ts";
import type { Shown } from "./shown.ts";

/** How the post step begins the line that says what it did. */
const AFTERWARDS = "After the end of the main step:";

/** The stages that end on ECS: each a run of ship.yml under load, against a stand-in whose containers are real processes. */
export async function showShipments(options: DeliveryOptions): Promise<Shown[]> {
  const { checkout, progress, cancel, machine } = options;
  cancel.throwIfAborted();
  const folder = join(options.folder, "ecs");
  mkdirSync(folder);
  progress.say("ecs: starting the stand-in for ECS with two tasks of shop:1.0.0");
  const cloud = await startCloud(checkout, folder, machine.postgres.env);
  const runs: ActRun[] = [];
  const stop = () => Promise.all(runs.map((run) => run.stop()));
  cancel.addEventListener("abort", () => void stop());
  try {
    makeProject(checkout, join(folder, "shop"), "Ship to ECS", []);
    const shown: Shown[] = [];
    for (const shipment of SHIPMENTS) {
      cancel.throwIfAborted();
      shown.push(await new Shipping({ ...options, folder }, cloud, shipment, runs).show());
    }
    return shown;
  } finally {
    await stop();
    await cloud.aws.close();
  }
}

/** One shipment on its way. */
class Shipping {
  private readonly options: DeliveryOptions;
  private readonly cloud: Cloud;
  private readonly shipment: Shipment;
  private readonly runs: ActRun[];
  private readonly keep: string;

  constructor(options: DeliveryOptions, cloud: Cloud, shipment: Shipment, runs: ActRun[]) {
    this.options = options;
    this.cloud = cloud;
    this.shipment = shipment;
    this.runs = runs;
    this.keep = join(options.folder, shipment.key, "kept");
    mkdirSync(this.keep, { recursive: true });
  }

  async show(): Promise<Shown> {
    const { shipment, cloud, keep } = this;
    const load = await startLoad(shipment, cloud.port, keep, (inputs) => this.launch("load.yml", inputs));
    await load.started;
    const startedAt = Date.now();
    this.say("shipped, under load");
    const callsBefore = cloud.aws.calls.length;
    const run = await this.launch("ship.yml", { image: shipment.image });
    if (shipment.cancelled) await this.cancel(run, callsBefore);
    const result = await run.result;
    const endedAt = Date.now();
    const evidence = await this.gather(result, await load.evidence());
    this.options.cancel.throwIfAborted();
    const broken = judgeShipment(shipment, evidence);
    this.say(`${evidence.outcome}${broken.length > 0 ? `, NOT as promised: ${broken.join("; ")}` : ""}`);
    if (broken.length > 0) console.log(result.tail.map((line) => `          ${line}`).join("\n"));
    const { outcome, reason, serving, primary } = evidence;
    return {
      ...shipment,
      outcome,
      reason,
      afterwards: `Version ${serving || "none"} serves behind the balancer (ECS runs ${primary})`,
      seconds: (endedAt - startedAt) / 1000,
      load: evidence.load,
      delivery: result,
      ...{ pushedAt: startedAt, builtAt: startedAt, startedAt, endedAt },
      broken,
    };
  }

  /** As a person cancels a run, once the service was told to change. */
  private async cancel(run: ActRun, callsBefore: number): Promise<void> {
    const updated = () =>
      this.cloud.aws.calls
        .slice(callsBefore)
        .some((call) => call.operation === "UpdateService" && call.answer);
    let ended = false;
    void run.result.finally(() => {
      ended = true;
    });
    while (!updated() && !ended) await new Promise((resolve) => setTimeout(resolve, 20));
    this.say("cancelled by a person");
    await run.stop();
  }

  private async gather(result: ActResult, load: ShipmentEvidence["load"]): Promise<ShipmentEvidence> {
    const { cloud } = this;
    const primary = primaryOf(cloud);
    // act kills a cancelled step at once, so it has no outputs: what became of it is the post step's to say.
    const afterwards = result.tail
      .find((line) => line.includes(AFTERWARDS))
      ?.split(AFTERWARDS)[1]
      ?.trim();
    return {
      outcome: outputOf(result, "deploy.outcome") || (afterwards === undefined ? "" : "cancelled"),
      code: outputOf(result, "deploy.failure-code"),
      reason: outputOf(result, "deploy.failure-reason") || (afterwards ?? ""),
      exitCode: result.exitCode,
      serving: await servingVersion(cloud.port),
      primary: primary.image,
      state: primary.state,
      violations: cloud.aws.world.violations,
      load,
    };
  }

  private async launch(workflow: string, inputs: Record<string, string>): Promise<ActRun> {
    const { checkout, folder, repositories, cancel } = this.options;
    cancel.throwIfAborted();
    const home = join(folder, this.shipment.key);
    const name = workflow.replace(".yml", "");
    const secretFile = join(home, "secrets");
    writeFileSync(secretFile, "", { mode: 0o600 });
    const run = startAct({
      act: join(checkout, ".tools/bin/act"),
      folder: join(folder, "shop"),
      workflow: join(".github/workflows", workflow),
      event: "workflow_dispatch",
      variables: { SHOP_URL: this.cloud.url },
      inputs,
      secretFile,
      repositories,
      cache: join(home, `cache-${name}`),
      artifacts: join(home, "artifacts"),
      artifactPort: await freePort(),
      env: { ...process.env, ...this.cloud.aws.env(), GOCI_DEMO_KEEP: this.keep },
      logFile: join(checkout, "demo/out", `${this.shipment.key}-${name}.log`),
      onEvent: (event) => {
        if (event.command === "error" && event.arg) this.say(event.arg.split("\n")[0] ?? "");
      },
    });
    this.runs.push(run);
    return run;
  }

  private say(text: string): void {
    this.options.progress.say(`${this.shipment.key}: ${text}`);
  }
}
