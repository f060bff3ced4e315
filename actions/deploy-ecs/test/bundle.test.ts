import { describe, expect, test } from "@jest/globals";
import { sampleDefinition } from "../../../lib/testing/fake-ecs/set-up.ts";
import type { StepResult } from "../../../lib/testing/runner.ts";
import { eachOf, inSite, type Site } from "./bundle-kit.ts";
import { truth } from "./story.ts";

const LIMIT_MS = 60_000;

/** Everything that a step leaves behind, as one text. */
function everythingOf(result: StepResult): string {
  return [result.output, result.summary, JSON.stringify([result.outputs, result.state, result.report])].join(
    "\n",
  );
}

function requests(site: Site, operation: string): readonly string[] {
  return site.aws.calls.filter((call) => call.operation === operation).map((call) => call.raw);
}

describe("the bundle over HTTP", () => {
  test(
    "deploys, with UpdateService's bytes holding only what was asked",
    async () => {
      await inSite({}, async (site) => {
        const result = await site.main();
        expect(result.outputs).toMatchObject({ outcome: "succeeded", changed: "true", "failure-code": "" });
        expect(result.exitCode).toBe(0);
        expect(truth(site.aws.world)).toBe("app:2 COMPLETED");
        expect(requests(site, "UpdateService")).toEqual([
          '{"cluster":"default","service":"app","taskDefinition":"arn:aws:ecs:eu-west-1:123456789012:task-definition/app:2"}',
        ]);
        const post = await site.post(result);
        expect(post.exitCode).toBe(0);
        expect(site.aws.world.violations).toEqual([]);
      });
    },
    LIMIT_MS,
  );

  test(
    "every member that the user set, and no other, is sent",
    async () => {
      await inSite({}, async (site) => {
        await site.main({
          "desired-count": "3",
          "force-new-deployment": "true",
          "propagate-tags": "SERVICE",
          "enable-ecs-managed-tags": "false",
          "wait-for-service-stability": "false",
        });
        expect(requests(site, "UpdateService")).toEqual([
          '{"cluster":"default","service":"app","taskDefinition":"arn:aws:ecs:eu-west-1:123456789012:task-definition/app:2",' +
            '"desiredCount":3,"forceNewDeployment":true,"propagateTags":"SERVICE","enableECSManagedTags":false}',
        ]);
      });
    },
    LIMIT_MS,
  );

  test(
    "nothing to change: two calls, no write",
    async () => {
      await inSite({}, async (site) => {
        const result = await site.main({ image: "app:1" });
        expect(result.outputs["outcome"]).toBe("unchanged");
        expect(site.aws.calls.map((call) => call.operation)).toEqual([
          "DescribeServices",
          "DescribeTaskDefinition",
        ]);
      });
    },
    LIMIT_MS,
  );

  test(
    "a field that no SDK knows survives, or its loss is told by its path",
    async () => {
      const patch = {
        "task-definition-patch":
          '{"quantumLimits":{"qubits":3},"containerDefinitions":{"app":{"entangled":true}}}',
      };
      await inSite(
        {},
        async (site) => {
          const result = await site.main(patch);
          expect(result.outputs["outcome"]).toBe("succeeded");
          const [sent] = requests(site, "RegisterTaskDefinition");
          expect(JSON.parse(sent ?? "{}")).toMatchObject({
            quantumLimits: { qubits: 3 },
            containerDefinitions: [{ entangled: true }],
          });
        },
        { allowUnknown: ["RegisterTaskDefinition", "DescribeTaskDefinition"] },
      );
    },
    LIMIT_MS,
  );

  test(
    "the six failures that everybody has each give one line that says it",
    async () => {
      const healthy = { command: ["CMD-SHELL", "true"] };
      const containers = sampleDefinition("app", "app:1")["containerDefinitions"] as Record<
        string,
        unknown
      >[];
      const checked = sampleDefinition("app", "app:1", {
        containerDefinitions: containers.map((container) => ({ ...container, healthCheck: healthy })),
      });
      const cases = [
        ["image-not-found", "IMAGE_NOT_FOUND", "the image app:2 is not found"],
        ["secret-denied", "SECRET_DENIED", "may not read the secret"],
        ["exits", "CONTAINER_EXITED", "container app exited with code 1"],
        ["out-of-memory", "OUT_OF_MEMORY", "out of memory"],
        ["container-unhealthy", "CONTAINER_UNHEALTHY", "container app fails its health check"],
        ["target-unhealthy", "TARGET_UNHEALTHY", "load balancer's health check fails"],
      ] as const;
      await eachOf(cases, 3, async ([kind, code, text]) => {
        const service = {
          ...(kind === "container-unhealthy" ? { taskDefinition: checked } : {}),
          ...(kind === "target-unhealthy" ? { targetGroup: "web" } : {}),
        };
        await inSite(service, async (site) => {
          const behaviour = kind === "exits" ? ({ kind, code: 1 } as const) : ({ kind } as const);
          site.aws.world.behave("app:2", behaviour);
          const result = await site.main();
          expect(result.outputs).toMatchObject({
            outcome: "rolled-back",
            "failure-code": code,
            "rolled-back": "true",
          });
          expect(result.errors).toHaveLength(1);
          expect(result.errors[0]?.data).toContain(text);
          expect(result.outputs["failure-reason"]).not.toContain("\n");
          expect(result.exitCode).toBe(1);
          expect(truth(site.aws.world)).toBe("app:1 COMPLETED");
        });
      });
    },
    LIMIT_MS,
  );

  test(
    "secrets are found nowhere: log, summary, outputs, report, state, argv",
    async () => {
      const given = "canary-given-4d1f";
      const old = "canary-running-9a3c";
      const containers = sampleDefinition("app", "app:1")["containerDefinitions"] as Record<
        string,
        unknown
      >[];
      const environment = [{ name: "OLD_PASSWORD", value: old }];
      const taskDefinition = sampleDefinition("app", "app:1", {
        containerDefinitions: containers.map((container) => ({ ...container, environment })),
      });
      await inSite({ taskDefinition }, async (site) => {
        site.aws.world.behave("app:2", {
          kind: "exits",
          code: 1,
          logs: [`login with ${given} and ${old} failed`],
        });
        const step = site.start({ "environment-variables": `DB_PASSWORD=${given}` });
        const result = await step.result;
        expect(result.outputs["failure-code"]).toBe("CONTAINER_EXITED");
        expect(step.process.spawnargs.join(" ")).not.toContain("canary");
        // The runner masks what was told to it; nothing else may hold the values.
        const shown = everythingOf(result)
          .split("\n")
          .filter((line) => !line.startsWith("::add-mask::"))
          .join("\n");
        expect(shown).not.toContain(given);
        expect(shown).not.toContain(old);
        expect(result.masks).toEqual(expect.arrayContaining([given, old]));
        // They did reach ECS.
        expect(requests(site, "RegisterTaskDefinition")[0]).toContain(given);
      });
    },
    LIMIT_MS,
  );

  test(
    "a throttled account: slow, not red",
    async () => {
      await inSite({}, async (site) => {
        site.aws.fail("throttle", { probability: 0.3 });
        const result = await site.main();
        expect(result.outputs["outcome"]).toBe("succeeded");
        expect(truth(site.aws.world)).toBe("app:2 COMPLETED");
      });
    },
    LIMIT_MS,
  );
});
