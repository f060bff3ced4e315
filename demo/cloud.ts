import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { type RunningAws, startFakeAws } from "../lib/testing/fake-ecs/start.ts";
import { CRASHES, UNHEALTHY, VERSION_2 } from "./commits.ts";
import { servingVersion } from "./evidence.ts";
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
  const images = Object.fromEntries(
    Object.entries(IMAGES).map(([image, edits]) => [
      image,
      { command: "./main", cwd: build(checkout, folder, image, edits) },
    ]),
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
  const port = Number(new URL(balancer.url).port);
  await serves(port, "1.0.0");
  return { aws, url: balancer.url, port };
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

/** Builds one version of the sample app, for the Node of this machine; the folder it is started in. */
function build(checkout: string, folder: string, image: string, edits: readonly Edit[]): string {
  const project = join(folder, "images", image.replace(":", "-"));
  makeProject(checkout, project, image, edits);
  symlinkSync(join(checkout, "sample-app/node_modules"), join(project, "node_modules"));
  execFileSync(process.execPath, ["scripts/run.mjs", "scripts/build.ts"], {
    cwd: project,
    env: { ...process.env, SAMPLE_APP_RUNTIME: "host" },
    stdio: "pipe",
  });
  return join(project, "build");
}

async function serves(port: number, version: string): Promise<void> {
  const end = Date.now() + 30_000;
  while ((await servingVersion(port)) !== version) {
    if (Date.now() > end) throw new Error(`demo: version ${version} never answered on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
