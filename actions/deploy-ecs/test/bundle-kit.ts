import type { ServiceSetup } from "../../../lib/testing/fake-ecs/set-up.ts";
import { type RunningAws, startFakeAws } from "../../../lib/testing/fake-ecs/start.ts";
import type { WorldOptions } from "../../../lib/testing/fake-ecs/world.ts";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import { FakeRunner, type RunningStep, type StepResult } from "../../../lib/testing/runner.ts";

/** A job with an AWS of its own, behind real HTTP. */
export interface Site {
  readonly aws: RunningAws;
  readonly runner: FakeRunner;
  /** The main step, under way. */
  start(inputs?: Record<string, string>): RunningStep;
  main(inputs?: Record<string, string>): Promise<StepResult>;
  post(main: Pick<StepResult, "state">, inputs?: Record<string, string>): Promise<StepResult>;
  close(): Promise<void>;
}

/** Seconds of the world in one of the test's. */
const SPEED = 20;

const INPUTS = { service: "app", image: "app:2", "poll-interval": "1s" };

/** Opens a site with the service `app`, which runs `app:1`. */
export async function openSite(
  service: ServiceSetup = {},
  world: WorldOptions = {},
  env: Record<string, string> = {},
): Promise<Site> {
  const aws = await startFakeAws({ speed: SPEED, ...world });
  aws.world.addService(service);
  const runner = new FakeRunner({ ...aws.env(), ...env });
  const full = (inputs: Record<string, string>) => ({ ...INPUTS, ...inputs });
  return {
    aws,
    runner,
    start: (inputs = {}) => runner.start("deploy-ecs", full(inputs)),
    main: async (inputs = {}) => {
      const result = await runner.main("deploy-ecs", full(inputs));
      expectValidReport(result.report);
      return result;
    },
    post: (main, inputs = {}) => runner.post("deploy-ecs", main, full(inputs)),
    close: async () => {
      runner.dispose();
      await aws.close();
    },
  };
}

/** Runs `body` in a site of its own and closes it, whatever happens. */
export async function inSite<T>(
  service: ServiceSetup,
  body: (site: Site) => Promise<T>,
  world: WorldOptions = {},
): Promise<T> {
  const site = await openSite(service, world);
  try {
    return await body(site);
  } finally {
    await site.close();
  }
}

/** Runs all with a few at a time: starting Node is work for a whole core. */
export async function eachOf<T>(
  items: readonly T[],
  atATime: number,
  body: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await body(item);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}
