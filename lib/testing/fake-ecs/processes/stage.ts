import type { FakeService } from "../ecs/state.ts";
import type { Json } from "../types.ts";
import type { FakeAws } from "../world.ts";
import { type Balancer, type Pool, startBalancer, type Target } from "./balancer.ts";
import { checkSettings, watchTargets } from "./health.ts";
import { type HostOptions, ProcessHost } from "./host.ts";

/** How a world runs its containers for real. */
export interface StageOptions extends HostOptions {
  /** Target groups that get a balancer, with its port (0: a free one). */
  readonly balancers?: Readonly<Record<string, number>>;
}

/** The real side of a world: processes, and balancers before them. */
export interface Stage {
  readonly balancers: Readonly<Record<string, Balancer>>;
  close(): Promise<void>;
}

/** How often the world looks at the clock by itself, milliseconds. */
const tick = 20;

/** Gives a world processes and balancers. */
export async function buildStage(world: FakeAws, options: StageOptions, speed: number): Promise<Stage> {
  const { state, events } = world.ecs;
  const host = new ProcessHost(state, events, options, speed);
  state.host = host;
  const timer = setInterval(() => world.time.catchUp(), tick);
  const stops: (() => void)[] = [];
  const balancers: Record<string, Balancer> = {};
  for (const [name, port] of Object.entries(options.balancers ?? {})) {
    balancers[name] = await startBalancer(() => poolOf(world, host, name), port);
    const settings = checkSettings(world.targetGroups.get(name), 1 / Math.max(1, speed));
    stops.push(watchTargets(state, events, settings, () => poolOf(world, host, name).targets));
  }
  return {
    balancers,
    close: async () => {
      clearInterval(timer);
      for (const stop of stops) stop();
      await Promise.all(Object.values(balancers).map((balancer) => balancer.close()));
      await host.close();
    },
  };
}

function poolOf(world: FakeAws, host: ProcessHost, name: string): Pool {
  const behind = world.ecs.state.services.filter((service) => isBehind(service, name));
  const targets = behind
    .flatMap((service) => service.tasks)
    .flatMap((task): readonly Target[] => {
      const port =
        task.target.state === "none" || task.target.state === "draining" ? undefined : host.portOf(task);
      return port === undefined ? [] : [{ task, port }];
    });
  const weights = behind[0] && world.trafficOf(behind[0]);
  return { targets, ...(weights ? { weights } : {}) };
}

function isBehind(service: FakeService, group: string): boolean {
  const balancers = (service.members["loadBalancers"] ?? []) as readonly Json[];
  return balancers.some((one) => String(one["targetGroupArn"]).includes(`:targetgroup/${group}/`));
}
