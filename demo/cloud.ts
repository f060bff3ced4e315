import { execFileSync } from "node:child_process";
import { cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { probe } from "../lib/http.ts";
import { type RunningAws, startFakeAws } from "../lib/testing/fake-ecs/start.ts";
import { CRASHES, UNHEALTHY, VERSION_2 } from "./commits.ts";
import { type Edit, makeProject } from "./project.ts";

/** An ECS service of the shop, whose containers are processes of this machine behind a balancer. */
export interface Cloud {
  readonly aws: RunningAws;
  /** The balancer. */
  readonly url: string;
  readonly port: number;
}

/** What there is to pull: the sample app at these commits. */
const IMAGES: Readonly<Record<string, readonly Edit[]>> = {
  "shop:1.0.0": [],
  "shop:2.0.0": VERSION_2,
  "shop:2.1.0": CRASHES,
  "shop:2.2.0": UNHEALTHY,
};

/** Seconds of ECS in one of the demo's: health checks come every half second instead of every five. */
const SPEED = 10;

const PASSWORD = "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/PASSWORD";

/** Starts the stand-in for ECS with the shop at 1.0.0; `database` are the variables that lead to PostgreSQL. */
export async function startCloud(
  checkout: string,
  folder: string,
  database: Readonly<Record<string, string>>,
): Promise<Cloud> {
  const built = Object.entries(IMAGES).map(([image, edits]) => [
    image,
    build(checkout, folder, image, edits),
  ]);
  const images = Object.fromEntries(
    built.map(([image, cwd]) => [image, { command: "./main", cwd: cwd ?? "" }]),
  );
  const { PASSWORD: password = "", ...plain } = database;
  const aws = await startFakeAws({
    speed: SPEED,
    targetGroups: {
      shop: { HealthCheckPath: "/healthz", HealthCheckIntervalSeconds: 5, HealthyThresholdCount: 2 },
    },
    processes: { images, secrets: { [PASSWORD]: password }, balancers: { shop: 0 } },
  });
  aws.world.addService({
    name: "shop",
    cluster: "prod",
    targetGroup: "shop",
    taskDefinition: taskDefinition(plain),
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
  });
  const balancer = aws.balancers["shop"];
  if (!balancer) throw new Error("demo: the shop has no balancer");
  await serving(balancer.url, "1.0.0");
  return { aws, url: balancer.url, port: Number(new URL(balancer.url).port) };
}

/** The image of the PRIMARY deployment, and how far it is, as ECS shows them. */
export function primaryOf({ aws }: Cloud): { image: string; state: string } {
  const service = aws.world.service("shop");
  const primary = service.deployments.find(({ status }) => status === "PRIMARY");
  const [container] = (primary?.revision.definition.body["containerDefinitions"] ?? []) as {
    image?: string;
  }[];
  return { image: container?.image ?? "", state: primary?.rolloutState ?? "" };
}

function taskDefinition(environment: Readonly<Record<string, string>>) {
  const variables = { NODE_ENV: "production", ...environment };
  return {
    family: "shop",
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: "256",
    memory: "512",
    executionRoleArn: "arn:aws:iam::123456789012:role/shop-execution",
    containerDefinitions: [
      {
        name: "app",
        image: "shop:1.0.0",
        essential: true,
        portMappings: [{ containerPort: 8000 }],
        environment: Object.entries(variables).map(([name, value]) => ({ name, value })),
        secrets: [{ name: "PASSWORD", valueFrom: PASSWORD }],
        stopTimeout: 60,
        logConfiguration: {
          logDriver: "awslogs",
          options: {
            "awslogs-group": "/ecs/shop",
            "awslogs-region": "eu-west-1",
            "awslogs-stream-prefix": "ecs",
          },
        },
      },
    ],
  };
}

/** Builds one version of the sample app; the host's own Node runs it. */
function build(checkout: string, folder: string, image: string, edits: readonly Edit[]): string {
  const project = join(folder, "images", image.replace(":", "-"));
  makeProject(checkout, project, image, edits);
  symlinkSync(join(checkout, "sample-app/node_modules"), join(project, "node_modules"));
  const target = join(folder, "pulled", image.replace(":", "-"));
  execFileSync(process.execPath, ["scripts/run.mjs", "scripts/build.ts"], {
    cwd: project,
    env: { ...process.env, SAMPLE_APP_RUNTIME: "host" },
    stdio: "pipe",
  });
  cpSync(join(project, "build"), target, { recursive: true });
  return target;
}

async function serving(url: string, version: string): Promise<void> {
  const end = Date.now() + 30_000;
  for (;;) {
    const answer = await probe({ url: `${url}/version`, timeoutMs: 2000 });
    if (answer.kind === "response" && answer.body.includes(`"${version}"`)) return;
    if (Date.now() > end) throw new Error(`demo: version ${version} never answered at ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
