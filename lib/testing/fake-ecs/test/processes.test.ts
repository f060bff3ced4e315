import { afterEach, expect, test } from "@jest/globals";
import { sampleDefinition } from "../set-up.ts";
import { type RunningAws, startFakeAws } from "../start.ts";
import type { Json } from "../types.ts";

/** A server of its own version; `health` is what it answers at /health. */
function server(version: string, health: number): { command: string; args: string[] } {
  const code = `
    const server = require("node:http").createServer((request, response) => {
      response.statusCode = request.url === "/health" ? ${health} : 200;
      response.end("${version} " + (process.env.MODE ?? ""));
    });
    server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("version ${version} is up"));
    process.on("SIGTERM", () => server.close(() => process.exit(0)));
  `;
  return { command: process.execPath, args: ["-e", code] };
}

const targetGroups = {
  app: {
    HealthCheckPath: "/health",
    HealthCheckIntervalSeconds: 5,
    HealthCheckTimeoutSeconds: 2,
    UnhealthyThresholdCount: 2,
  },
};
let aws: RunningAws;

afterEach(async () => {
  expect(aws.world.violations).toEqual([]);
  await aws.close();
});

async function start(): Promise<void> {
  const crash = { command: process.execPath, args: ["-e", "console.error('no database'); process.exit(7)"] };
  const images = {
    "app:1": server("1", 200),
    "app:2": server("2", 200),
    "app:ill": server("ill", 500),
    "app:crash": crash,
  };
  aws = await startFakeAws({ speed: 20, targetGroups, processes: { images, balancers: { app: 0 } } });
  const breaker = { deploymentCircuitBreaker: { enable: true, rollback: true } };
  aws.world.addService({ targetGroup: "app", deploymentConfiguration: breaker });
  await until(() => aws.world.isSteady("app"));
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await done())) {
    if (Date.now() > end) throw new Error("it never came");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const ask = async (): Promise<string> => (await fetch(`${aws.balancers["app"]?.url}/`)).text();

test("a good deployment under load: no request is lost, and the new version answers in the end", async () => {
  await start();
  expect(await ask()).toBe("1 production");
  aws.world.deploy("app", "app:2");
  const answers: string[] = [];
  await until(async () => {
    const response = await fetch(`${aws.balancers["app"]?.url}/`);
    answers.push(`${response.status} ${await response.text()}`);
    return aws.world.service("app").rollouts[0]?.status === "SUCCESSFUL";
  });
  expect(new Set(answers)).toEqual(new Set(["200 1 production", "200 2 production"]));
  expect(await ask()).toBe("2 production");
  expect(aws.balancers["app"]?.refused()).toBe(0);
});

test.each([
  ["app:crash", "EssentialContainerExited", "Essential container in task exited"],
  ["app:ill", "ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group"],
  ["app:none", "TaskFailedToStart", "CannotPullContainerError: pull image manifest"],
])("%s trips the breaker, and the old version never stops to answer", async (image, stopCode, reason) => {
  await start();
  const { arn } = aws.world.deploy("app", image);
  const answers = new Set<string>();
  await until(async () => {
    answers.add(await ask());
    return aws.world.service("app").rollouts[0]?.status === "ROLLBACK_SUCCESSFUL";
  });
  expect(answers).toEqual(new Set(["1 production"]));
  const task = aws.world.service("app").tasks.find((one) => one.definition.arn === arn);
  expect(task).toMatchObject({ stopCode });
  expect(task?.stoppedReason).toContain(reason);
  expect(task?.exits["app"]?.code).toBe(image === "app:crash" ? 7 : image === "app:ill" ? 0 : undefined);
});

test("a canary really gets its part of the traffic, and the way back is at once", async () => {
  await start();
  const configuration = {
    strategy: "CANARY",
    canaryConfiguration: { canaryPercent: 25, canaryBakeTimeInMinutes: 60 },
  };
  aws.world.service("app").members["deploymentConfiguration"] = configuration;
  aws.world.deploy("app", "app:2");
  await until(() => aws.world.service("app").rollouts[0]?.weight === 25);
  const answers: string[] = [];
  for (let nth = 0; nth < 100; nth += 1) answers.push(await ask());
  expect(answers.filter((answer) => answer === "2 production")).toHaveLength(25);
  const serviceDeploymentArn = aws.world.service("app").rollouts[0]?.arn;
  await aws.world.call("ecs", "StopServiceDeployment", { serviceDeploymentArn, stopType: "ROLLBACK" });
  await until(() => aws.world.service("app").rollouts[0]?.status === "ROLLBACK_SUCCESSFUL");
  expect(await ask()).toBe("1 production");
  expect(aws.balancers["app"]?.refused()).toBe(0);
});

test("a one-off task is a process with its own command, environment, exit code and log", async () => {
  await start();
  const code = "console.log('migrated ' + process.env.TABLE); process.exit(4)";
  const containerOverrides = [
    { name: "app", command: ["-e", code], environment: [{ name: "TABLE", value: "users" }] },
  ];
  const ran = await aws.world.call("ecs", "RunTask", {
    taskDefinition: "app",
    launchType: "FARGATE",
    networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-1"] } },
    overrides: { containerOverrides },
  });
  const arn = String((ran["tasks"] as Json[])[0]?.["taskArn"]);
  await until(() => aws.world.ecs.state.tasks.find((one) => one.arn === arn)?.lastStatus === "STOPPED");
  const described = await aws.world.call("ecs", "DescribeTasks", { tasks: [arn] });
  expect((described["tasks"] as Json[])[0]).toMatchObject({ containers: [{ exitCode: 4 }] });
  const log = { logGroupName: "/ecs/app", logStreamName: `ecs/app/${arn.split("/").at(-1)}` };
  expect(await aws.world.call("logs", "GetLogEvents", log)).toMatchObject({
    events: [{ message: "migrated users" }],
  });
});

test("a container's own health check is run, and a secret that is not there stops the start", async () => {
  await start();
  const [container] = sampleDefinition("check", "app:2")["containerDefinitions"] as Json[];
  const healthCheck = { command: ["CMD-SHELL", "exit 1"], interval: 5, timeout: 2, retries: 2 };
  const ill = sampleDefinition("check", "app:2", { containerDefinitions: [{ ...container, healthCheck }] });
  aws.world.addService({ name: "check", taskDefinition: ill, desired: 1 });
  const secrets = [{ name: "TOKEN", valueFrom: "arn:aws:ssm:eu-west-1:123456789012:parameter/nix" }];
  const poor = sampleDefinition("poor", "app:2", { containerDefinitions: [{ ...container, secrets }] });
  aws.world.addService({ name: "poor", taskDefinition: poor, desired: 1 });
  const reasonOf = (name: string) => aws.world.service(name).tasks[0]?.stoppedReason ?? "";
  await until(() => reasonOf("check") !== "" && reasonOf("poor") !== "");
  expect(reasonOf("check")).toBe("Task failed container health checks");
  expect(reasonOf("poor")).toContain(
    "failed to fetch secret arn:aws:ssm:eu-west-1:123456789012:parameter/nix",
  );
});
