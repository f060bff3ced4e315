import { readFileSync, writeFileSync } from "node:fs";
import type { Behaviour, Role } from "./behaviour.ts";
import type { GroupSetup } from "./codedeploy/set-up.ts";
import type { ServiceSetup } from "./set-up.ts";
import { type RunningAws, type StartOptions, startFakeAws } from "./start.ts";

/**
 * The stand-in as a process of its own, for a demo: `node main.ts settings.json`.
 * Prints one line of JSON (`Ready`) once every service is up, writes it to
 * `stateFile` too, obeys `/_fake/` (http/control.ts), and ends with everything
 * that it started at SIGTERM or SIGINT.
 */
export interface Settings extends Omit<StartOptions, "clock"> {
  readonly services?: readonly ServiceSetup[];
  /** CodeDeploy groups by service. */
  readonly deploymentGroups?: Readonly<Record<string, GroupSetup>>;
  readonly behaviours?: readonly (readonly [image: string, behaviour: Behaviour, role?: Role])[];
  readonly stateFile?: string;
}

/** What is known once it is up. */
export interface Ready {
  readonly pid: number;
  readonly endpoint: string;
  readonly env: Readonly<Record<string, string>>;
  /** URLs of the balancers by target group. */
  readonly balancers: Readonly<Record<string, string>>;
}

async function main(file: string): Promise<void> {
  const settings = JSON.parse(readFileSync(file, "utf8")) as Settings;
  const aws = await startFakeAws(settings);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void leave(aws));
  for (const [image, behaviour, role] of settings.behaviours ?? []) aws.world.behave(image, behaviour, role);
  for (const service of settings.services ?? []) aws.world.addService(service);
  for (const [service, group] of Object.entries(settings.deploymentGroups ?? {})) {
    aws.world.addDeploymentGroup(service, group);
  }
  for (const { name = "app" } of settings.services ?? []) await steady(aws, name);
  const balancers = Object.entries(aws.balancers).map(([name, { url }]) => [name, url]);
  const ready: Ready = {
    pid: process.pid,
    endpoint: aws.endpoint,
    env: aws.env(),
    balancers: Object.fromEntries(balancers),
  };
  if (settings.stateFile) writeFileSync(settings.stateFile, JSON.stringify(ready));
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

async function steady(aws: RunningAws, service: string): Promise<void> {
  const end = Date.now() + 60_000;
  while (!aws.world.isSteady(service)) {
    if (Date.now() > end) throw new Error(`service ${service} did not come up within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function leave(aws: RunningAws): Promise<void> {
  await aws.close();
  process.exit(0);
}

await main(process.argv[2] ?? "settings.json");
