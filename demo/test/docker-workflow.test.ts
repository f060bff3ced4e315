import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { engineProblem, type RunningEngine, startDockerEngine } from "../../lib/testing/docker-engine.ts";
import { hasRegistry, startRegistry, type TestRegistry } from "../../lib/testing/registry.ts";
import { outputOf } from "../evidence.ts";
import { showImages } from "../images.ts";
import { renderPage } from "../page.ts";
import { Progress } from "../progress.ts";
import { Team } from "./team.ts";

const problem = engineProblem() ?? (hasRegistry() ? "" : "docker-registry is not installed");

/** What only the build of the pipeline makes: a file that the repository does not have. */
const BUILD = "node -e \"require('node:fs').writeFileSync('built.txt', 'built by the job before')\"";

/** The job that would deploy the image. */
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

  function call(name: string, inputs: Record<string, unknown>, password = registry.password) {
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
      env: { DOCKER_HOST, DOCKER_CONFIG },
      files: { Dockerfile: "FROM scratch\nCOPY built.txt /\n" },
      jobs: { after: AFTER },
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

  test("is red with a wrong password, and pushes nothing", async () => {
    const result = await call("wrong", {}, "not-the-password");
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
