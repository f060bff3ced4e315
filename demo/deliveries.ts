import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../lib/testing/sshd.ts";
import { type ActEvent, type ActResult, type ActRun, startAct } from "./act.ts";
import { currentRelease, judge, keptJson, outputOf, type StageEvidence, servingVersion } from "./evidence.ts";
import { startLoad } from "./load.ts";
import type { Machine } from "./machine.ts";
import type { Progress } from "./progress.ts";
import { makeProject } from "./project.ts";
import type { Stage } from "./stages.ts";

/** What all deliveries share. */
export interface DeliveryOptions {
  readonly checkout: string;
  readonly folder: string;
  readonly machine: Machine;
  readonly repositories: ReadonlyMap<string, string>;
  readonly progress: Progress;
  /** Nothing is started once this is aborted. */
  readonly cancel: AbortSignal;
}

/** A commit on its way: its workflow runs and waits for its approval. */
export interface Delivery {
  readonly stage: Stage;
  readonly run: ActRun;
  readonly approval: string;
  readonly project: string;
  readonly keep: string;
  readonly pushedAt: number;
  /** When its pipeline was done; pushedAt until then. */
  builtAt: number;
}

/** How many pipelines build at the same time: one a core on the smallest machines. */
const AT_ONCE = 2;

/** Starts workflow runs, approves them one after the other, and gathers the evidence. */
export class Deliveries {
  private readonly options: DeliveryOptions;
  private readonly runs: ActRun[] = [];

  constructor(options: DeliveryOptions) {
    this.options = options;
  }

  /** Pushes one commit: the workflow starts, and stops before its deployment. */
  async start(stage: Stage): Promise<Delivery> {
    const { checkout, folder, progress, cancel } = this.options;
    cancel.throwIfAborted();
    const home = join(folder, stage.key);
    const project = join(home, "shop");
    mkdirSync(home, { recursive: true });
    const commit = makeProject(checkout, project, stage.message, stage.edits);
    progress.say(`${stage.key}: commit ${commit.slice(0, 7)} "${stage.message}"`);
    const approval = join(home, "approved");
    const pushedAt = Date.now();
    const run = await this.launch(stage, "deliver.yml", { APPROVAL: approval });
    return { stage, run, approval, project, keep: join(home, "kept"), pushedAt, builtAt: pushedAt };
  }

  /** Starts all, two at a time; resolves when each is built or has failed. */
  async startAll(stages: readonly Stage[]): Promise<Delivery[]> {
    const waiting = [...stages.entries()];
    const deliveries: Delivery[] = [];
    const worker = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const delivery = await this.start(next[1]);
        deliveries[next[0]] = delivery;
        await this.built(delivery);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return deliveries;
  }

  /** Resolves when the pipeline has done its part: built and waiting, or failed. */
  async built(delivery: Delivery): Promise<void> {
    await Promise.race([delivery.run.waitFor("waiting for approval"), delivery.run.result]).catch(() => {});
    delivery.builtAt = Date.now();
  }

  /** Approves a delivery, with load beside it where the stage wants that, and waits for its end. */
  async finish(delivery: Delivery): Promise<StageEvidence> {
    const { machine, progress } = this.options;
    const { stage } = delivery;
    const before = {
      serving: await servingVersion(machine.appPort),
      current: currentRelease(machine.target),
    };
    const loginsBefore = machine.sshd.logins();
    const load = stage.loadSeconds > 0 ? await this.load(stage) : undefined;
    const startedAt = Date.now();
    if (stage.loadSeconds > 0) progress.say(`${stage.key}: approved, under load`);
    writeFileSync(delivery.approval, "");
    const result = await delivery.run.result;
    this.options.cancel.throwIfAborted();
    const endedAt = Date.now();
    const evidence = {
      stage,
      delivery: result,
      load: await load?.evidence(),
      outcome: outcomeOf(result),
      reason: outputOf(result, "deploy.failure-reason") || outputOf(result, "test.failure-reason"),
      serving: await servingVersion(machine.appPort),
      current: currentRelease(machine.target),
      logins: machine.sshd.logins() - loginsBefore,
      reports: keptJson(delivery.keep, "deploy-ec2"),
      seconds: (delivery.builtAt - delivery.pushedAt + (endedAt - startedAt)) / 1000,
      pushedAt: delivery.pushedAt,
      builtAt: delivery.builtAt,
      startedAt,
      endedAt,
    };
    const broken = judge(evidence, before);
    progress.say(
      `${stage.key}: ${evidence.outcome}${broken.length > 0 ? `, NOT as promised: ${broken.join("; ")}` : ""}`,
    );
    if (broken.length > 0) console.log(result.tail.map((line) => `          ${line}`).join("\n"));
    return { ...evidence, broken };
  }

  /** Stops whatever still runs. */
  async stop(): Promise<void> {
    await Promise.all(this.runs.map((run) => run.stop()));
  }

  private async load(stage: Stage) {
    const load = await startLoad(
      stage,
      this.options.machine.appPort,
      join(this.options.folder, stage.key, "kept"),
      (inputs) => this.launch(stage, "load.yml", {}, inputs),
    );
    await load.started;
    return load;
  }

  private async launch(
    stage: Stage,
    workflow: string,
    variables: Record<string, string>,
    inputs?: Record<string, string>,
  ): Promise<ActRun> {
    const { checkout, folder, machine, repositories, progress, cancel } = this.options;
    cancel.throwIfAborted();
    const home = join(folder, stage.key);
    const name = workflow.replace(".yml", "");
    const run = startAct({
      act: join(checkout, ".tools/bin/act"),
      folder: join(home, "shop"),
      workflow: join(".github/workflows", workflow),
      event: inputs ? "workflow_dispatch" : "push",
      variables: { ...variables, ...hostVariables(machine) },
      ...(inputs ? { inputs } : {}),
      secretFile: secretFile(home, machine),
      repositories,
      cache: join(home, `cache-${name}`),
      artifacts: join(home, "artifacts"),
      artifactPort: await freePort(),
      env: { ...process.env, GOCI_DEMO_KEEP: join(home, "kept") },
      logFile: join(checkout, "demo/out", `${stage.key}-${name}.log`),
      onEvent: (event) => tell(progress, stage, event),
    });
    this.runs.push(run);
    return run;
  }
}

/** The deployment's outcome, or why there was none. */
function outcomeOf(result: ActResult): string {
  const deployed = outputOf(result, "deploy.outcome");
  if (deployed !== "") return deployed;
  const code = outputOf(result, "test.failure-code");
  return code === "" ? "" : `stopped: ${code}`;
}

function hostVariables(machine: Machine): Record<string, string> {
  return {
    DEPLOY_HOST: `127.0.0.1:${machine.sshd.port}`,
    DEPLOY_USER: machine.sshd.username,
    DEPLOY_FINGERPRINT: machine.sshd.fingerprint,
    DEPLOY_TARGET: machine.target,
    APP_PORT: String(machine.appPort),
  };
}

/** A dotenv file that only this user can read: what an argument or a variable holds, every process can see. */
function secretFile(home: string, machine: Machine): string {
  const path = join(home, "secrets");
  const quote = (text: string) => `"${text.replace(/\n/g, "\\n").replace(/"/g, '\\"')}"`;
  writeFileSync(
    path,
    `DEPLOY_KEY=${quote(machine.sshd.key)}\nSHOP_ENVIRONMENT=${quote(machine.serviceEnvironment)}\n`,
    {
      mode: 0o600,
    },
  );
  return path;
}

function tell(progress: Progress, stage: Stage, event: ActEvent): void {
  const job = (event.job ?? "").split("/").slice(1).join(" / ").replace(/\s+/g, " ").trim();
  if (event.jobResult) progress.say(`${stage.key}: ${job}: ${event.jobResult}`);
  if (event.command === "error" && event.arg)
    progress.say(`${stage.key}: ${job}: ${event.arg.split("\n")[0]}`);
}
