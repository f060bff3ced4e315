import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import { type FaultySite, openFaultySite, Project, SITE_PROBLEM } from "./bundle-kit.ts";
import { processesWith } from "./children.ts";

let site: FaultySite;
beforeAll(async () => {
  if (SITE_PROBLEM === "") site = await openFaultySite();
});
afterAll(async () => {
  await site?.stop();
});

/** What the endless step prints, and its command, which an engine shows before, does not: nothing comes after it. */
const BUILDING = "building 42";

/** A project whose build goes on until it is ended. */
function endless(name: string): Project {
  const project = new Project(site, name);
  project.write("Dockerfile", "FROM base:test\nRUN echo building $((6 * 7)) && sleep 300\n");
  return project;
}

/** A project whose `main` is pushed, and whose next push hangs at `latest`. */
async function halfPushed(name: string): Promise<{ project: Project; before: string | undefined }> {
  const project = new Project(site, name, site.proxy.host);
  site.proxy.clear();
  expect((await project.run()).outputs["outcome"]).toBe("succeeded");
  const before = await project.served("main");
  project.commit("two");
  site.proxy.add({ fault: { kind: "hang" }, method: "PUT", target: /manifests\/latest$/ });
  return { project, before };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

(SITE_PROBLEM === "" ? describe : describe.skip)(`a run that is ended ${SITE_PROBLEM}`, () => {
  test("SIGINT during the build: no child, no credentials, no tag", async () => {
    const project = endless("acme/int-build");
    const running = project.start();
    await running.waitFor(BUILDING);
    const step = await running.cancel();
    expect([step.exitCode, step.outputs["outcome"], step.outputs["failure-code"]]).toEqual([
      1,
      "cancelled",
      "CANCELLED",
    ]);
    expect(step.errors).toHaveLength(1);
    expect(processesWith(project.runner.temp)).toEqual([]);
    expect(project.leftovers()).toEqual([]);
    expect(await project.served("main")).toBeUndefined();
    expectValidReport(step.report);
  });

  test("SIGKILL during the build: the post step ends the children and removes the credentials", async () => {
    const project = endless("acme/kill-build");
    const running = project.start();
    await running.waitFor(BUILDING);
    running.kill("SIGKILL");
    const step = await running.result;
    expect(project.leftovers()).toHaveLength(1);
    expect(processesWith(project.runner.temp).length).toBeGreaterThan(0);
    const post = await project.post(step);
    expect(post.exitCode).toBe(0);
    expect(processesWith(project.runner.temp)).toEqual([]);
    expect(project.leftovers()).toEqual([]);
  });

  test.each(["SIGINT", "SIGKILL"] as const)(
    "%s while a blob is sent: no tag is there, and nothing is left",
    async (signal) => {
      const project = new Project(site, `acme/blob-${signal.toLowerCase()}`, site.proxy.host);
      site.proxy.clear();
      site.proxy.add({ fault: { kind: "hang" }, method: "PUT", target: /blobs\/uploads/ });
      const running = project.start();
      await running.waitFor("::group::push");
      await until(() => site.proxy.seen.some(({ method, faulty }) => method === "PUT" && faulty));
      running.kill(signal);
      const step = await running.result;
      expect(step.outputs["outcome"]).toBe(signal === "SIGINT" ? "cancelled" : undefined);
      const post = await project.post(step);
      expect([post.exitCode, project.leftovers(), processesWith(project.runner.temp)]).toEqual([0, [], []]);
      expect(await project.served("main")).toBeUndefined();
    },
  );

  test("SIGINT while tags move: those that moved go back", async () => {
    const { project, before } = await halfPushed("acme/int-push");
    const running = project.start();
    await running.waitFor(/:main names sha256/);
    const step = await running.cancel();
    expect([step.exitCode, step.outputs["outcome"]]).toEqual([1, "cancelled"]);
    expect([await project.served("main"), await project.served("latest")]).toEqual([before, before]);
    expect(project.leftovers()).toEqual([]);
  });

  test("SIGKILL while tags move: the post step puts them back", async () => {
    const { project, before } = await halfPushed("acme/kill-push");
    const running = project.start();
    await running.waitFor(/:main names sha256/);
    running.kill("SIGKILL");
    const step = await running.result;
    expect(await project.served("main")).not.toBe(before);
    site.proxy.clear();
    const post = await project.post(step);
    expect(post.exitCode).toBe(0);
    expect([await project.served("main"), await project.served("latest")]).toEqual([before, before]);
    expect(project.leftovers()).toEqual([]);
    expect(JSON.stringify(step.state)).not.toContain(site.registry.password);
  });

  test("the post step of a run that went well has nothing to do", async () => {
    const project = new Project(site, "acme/well");
    const post = await project.post(await project.run());
    expect([post.exitCode, post.errors]).toEqual([0, []]);
  });
});
