import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { engineProblem, type RunningEngine, startDockerEngine } from "../../lib/testing/docker-engine.ts";
import { startFakeAws } from "../../lib/testing/fake-ecs/start.ts";
import { hasRegistry, startRegistry, type TestRegistry } from "../../lib/testing/registry.ts";
import { keptJson, outputOf } from "../evidence.ts";
import { showImages } from "../images.ts";
import { renderPage } from "../page.ts";
import { Progress } from "../progress.ts";
import { type Call, Team } from "./team.ts";

const problem = engineProblem() ?? (hasRegistry() ? "" : "docker-registry is not installed");

/** What only the build of the pipeline makes: a file that the repository does not have. */
const BUILD = "node -e \"require('node:fs').writeFileSync('built.txt', 'built by the job before')\"";

/** A job that sees what the pipeline hands on. */
const AFTER = {
  needs: "called",
  "runs-on": "ubuntu-latest",
  steps: [
    {
      id: "seen",
      env: { IMAGE: "${{ needs.called.outputs.image }}" },
      run: 'echo "image=$IMAGE" >> "$GITHUB_OUTPUT"',
    },
  ],
};

/** The job that deploys the image. */
const DEPLOY = {
  needs: "called",
  if: "needs.called.outputs.image != ''",
  permissions: { contents: "read", "id-token": "write" },
  uses: "org/goci/.github/workflows/ecs.yml@v1",
  with: {
    ...{ "aws-region": "eu-west-1", service: "shop", image: "${{ needs.called.outputs.image }}" },
    "poll-interval": "1s",
  },
};

interface Linked {
  readonly materials: readonly { readonly type: string; readonly digest: string }[];
  readonly subjects: readonly { readonly type: string; readonly digest: string }[];
}

/** Digests of one type. */
const digests = (of: Linked["materials"] | undefined, type: string) =>
  of?.filter((item) => item.type === type).map(({ digest }) => digest);

(problem ? describe.skip : describe)(`pipeline.yml with an image ${problem}`, () => {
  let team: Team;
  let engine: RunningEngine;
  let registry: TestRegistry;
  beforeAll(async () => {
    [engine, registry] = await Promise.all([startDockerEngine(), startRegistry()]);
    team = new Team();
  });
  afterAll(async () => {
    team?.leave();
    await Promise.all([engine?.stop(), registry?.stop()]);
  });

  function call(name: string, inputs: Record<string, unknown>, how: { password?: string } & Call = {}) {
    const { password = registry.password, env, jobs } = how;
    const job = {
      uses: "org/goci/.github/workflows/pipeline.yml@v1",
      with: {
        ...{ "build-command": BUILD, "artifact-paths": "built.txt", "required-files": "built.txt" },
        ...{ images: `${registry.host}/team/${name}`, registry: registry.host, username: registry.username },
        ...inputs,
      },
      secrets: { password: "${{ secrets.REGISTRY }}" },
    };
    const { DOCKER_HOST = "", DOCKER_CONFIG = "" } = engine.env;
    return team.call(name, job, {
      secrets: `REGISTRY="${password}"\n`,
      env: { DOCKER_HOST, DOCKER_CONFIG, ...env },
      files: { Dockerfile: "FROM scratch\nCOPY built.txt /\n" },
      jobs: { after: AFTER, ...jobs },
    });
  }

  test("pushes an image of the artifact, and hands its digest to the jobs that come after", async () => {
    const result = await call("shop", {});
    expect({ exitCode: result.exitCode, errors: result.errors }).toEqual({ exitCode: 0, errors: [] });
    expect(outputOf(result, "push.outcome")).toBe("succeeded");
    const digest = await registry.digestOf("team/shop", "latest");
    expect(outputOf(result, "push.image")).toBe(`${registry.host}/team/shop@${digest}`);
    expect(outputOf(result, "seen.image")).toBe(`${registry.host}/team/shop@${digest}`);
    engine.docker(["login", "--username", registry.username, "--password", registry.password, registry.host]);
    engine.docker(["pull", `${registry.host}/team/shop:latest`]);
    engine.docker(["create", "--name", "shop", `${registry.host}/team/shop:latest`, "/none"]);
    expect(engine.docker(["cp", "shop:/built.txt", "-"])).toContain("built by the job before");
  });

  test("the digest that was pushed is the one that ECS runs, and the reports lead from one to the other", async () => {
    const kept = mkdtempSync(join(tmpdir(), "goci-kept-"));
    const aws = await startFakeAws({ speed: 20 });
    try {
      aws.world.addService({ name: "shop" });
      const env = { ...aws.env(), GOCI_DEMO_KEEP: kept };
      const result = await call("chain", {}, { env, jobs: { deploy: DEPLOY } });
      expect({ exitCode: result.exitCode, errors: result.errors }).toEqual({ exitCode: 0, errors: [] });
      const digest = await registry.digestOf("team/chain", "latest");
      const [pushed] = keptJson(kept, "docker-push-report") as unknown as Linked[];
      const [deployed] = keptJson(kept, "deploy-ecs-report") as unknown as Linked[];
      const artifact = outputOf(result, "test.artifact-digest");
      expect(digests(pushed?.materials, "artifact")).toEqual([artifact]);
      expect(digests(pushed?.subjects, "image")).toEqual([digest]);
      expect(digests(deployed?.materials, "image")).toEqual([digest]);
      expect(digests(deployed?.subjects, "task-definition")).toEqual([
        expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      ]);
      const running = aws.world.service("shop").deployments.find(({ status }) => status === "PRIMARY");
      expect(JSON.stringify(running?.revision.definition.body)).toContain(`/team/chain@${digest}`);
      expect(aws.world.violations).toEqual([]);
    } finally {
      await aws.close();
      rmSync(kept, { recursive: true, force: true });
    }
  });

  test("is red with a wrong password, and pushes nothing", async () => {
    const result = await call("wrong", {}, { password: "not-the-password" });
    expect(result.exitCode).not.toBe(0);
    expect(outputOf(result, "test.outcome")).toBe("succeeded");
    expect(outputOf(result, "push.failure-code")).toBe("LOGIN_FAILED");
    expect(outputOf(result, "seen.image")).toBe("");
    expect(await registry.digestOf("team/wrong", "latest")).toBeUndefined();
  });

  test("makes no image when `docker` is false", async () => {
    const result = await call("none", { docker: false });
    expect(result.exitCode).toBe(0);
    expect(outputOf(result, "push.outcome")).toBe("");
    expect([...result.jobs].filter(([job, ended]) => job.includes("image") && ended !== "skipped")).toEqual(
      [],
    );
  });
});

describe("the demo where no engine can be had", () => {
  test("shows its image stages as skipped, and claims nothing", async () => {
    const cancel = new AbortController().signal;
    const lines: string[] = [];
    const progress = Object.assign(new Progress(), { say: (text: string) => void lines.push(text) });
    const options = { checkout: "", folder: "", repositories: new Map<string, string>(), progress, cancel };
    const shown = await showImages(options, "dockerd needs root");
    expect(shown.map(({ outcome, reason, broken }) => ({ outcome, reason, broken }))).toEqual(
      Array.from({ length: 3 }, () => ({ outcome: "skipped", reason: "dockerd needs root", broken: [] })),
    );
    expect(lines).toEqual(["image: skipped, dockerd needs root"]);
    const page = renderPage(shown);
    expect(page).toContain("0 of 0 stages ended as promised.</strong> 3 were skipped.");
  });
});
