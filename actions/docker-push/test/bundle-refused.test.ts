import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import type { StepResult } from "../../../lib/testing/runner.ts";
import { type FaultySite, openFaultySite, Project, SITE_PROBLEM } from "./bundle-kit.ts";

let site: FaultySite;
beforeAll(async () => {
  if (SITE_PROBLEM === "") site = await openFaultySite();
});
afterAll(async () => {
  await site?.stop();
});

const verdict = (step: StepResult) => [step.exitCode, step.outputs["outcome"], step.outputs["failure-code"]];

/** Fixtures of the shapes that scanners write. */
const trivy = (severity: string) =>
  JSON.stringify({
    SchemaVersion: 2,
    Results: [
      {
        Vulnerabilities: [
          {
            VulnerabilityID: "CVE-2026-1",
            PkgName: "zlib",
            InstalledVersion: "1.2",
            FixedVersion: "1.3",
            Severity: severity,
          },
        ],
      },
    ],
  });

(SITE_PROBLEM === "" ? describe : describe.skip)(`what is refused ${SITE_PROBLEM}`, () => {
  /** Runs a project that must be refused, and proves that nothing was written but the preflight's empty upload. */
  async function refused(
    project: Project,
    inputs: Record<string, string>,
    code: string,
  ): Promise<StepResult> {
    const mark = project.mark();
    const step = await project.run(inputs);
    expect([...verdict(step), step.outputs["failure-reason"]]).toEqual([
      1,
      "failed",
      code,
      expect.anything(),
    ]);
    expect(step.errors.map(({ properties }) => properties["title"])).toContain(`docker-push: ${code}`);
    expect(step.errors.filter(({ properties }) => properties["file"] === undefined)).toHaveLength(1);
    expect(project.writesSince(mark).filter((method) => method !== "POST" && method !== "DELETE")).toEqual(
      [],
    );
    expect(project.writesSince(mark).length).toBeLessThanOrEqual(2);
    expect(await project.served("main")).toBeUndefined();
    expect(project.leftovers()).toEqual([]);
    expectValidReport(step.report);
    return step;
  }

  test("a planted secret: a token of a known shape, also one that a later step deletes", async () => {
    const project = new Project(site, "acme/secret");
    const token = `ghp_${"Ab3dEf6hIj".repeat(4).slice(0, 36)}`;
    project.write("Dockerfile", "FROM base:test\nCOPY token.txt /t\nRUN rm /t\nCOPY app.txt /app.txt\n");
    project.write("token.txt", token);
    const step = await refused(project, {}, "SECRET_IN_IMAGE");
    expect(step.output).not.toContain(token);
    expect(step.outputs["failure-reason"]).toContain("/t");
  });

  test("the registry's own password in a layer", async () => {
    const project = new Project(site, "acme/password");
    project.commit(`user=robot\npassword=${site.registry.password}\n`);
    await refused(project, {}, "SECRET_IN_IMAGE");
  });

  test("sizes: over the budget, and grown", async () => {
    const project = new Project(site, "acme/size");
    const step = await refused(project, { "max-size": "1KB" }, "TOO_LARGE");
    expect(step.outputs["failure-reason"]).toContain("`max-size` is 1.0 kB");
    const grown = new Project(site, "acme/grown");
    expect(verdict(await grown.run({ "max-growth": "10%" }))).toEqual([0, "succeeded", ""]);
    const before = await grown.served("main");
    grown.commit(Array.from({ length: 400 }, (_, index) => `${index} ${Math.sin(index)}`).join("\n"));
    expect(verdict(await grown.run({ "max-growth": "10%" }))).toEqual([1, "failed", "TOO_LARGE"]);
    expect(await grown.served("main")).toBe(before);
  });

  test("findings, and a scanner that failed, are two things", async () => {
    const project = new Project(site, "acme/findings");
    project.write("trivy.json", trivy("CRITICAL"));
    const step = await refused(project, { "vulnerability-report": "trivy.json" }, "FINDINGS");
    expect(step.outputs["failure-reason"]).toContain("CVE-2026-1");
    await refused(project, { "vulnerability-report": "absent.json" }, "SCANNER_FAILED");
    const command = "sh -c 'test -s \"$0\" && echo database gone >&2; exit 1' {image}";
    const broken = await refused(project, { "vulnerability-command": command }, "SCANNER_FAILED");
    expect(broken.output).toContain("database gone");
    project.write("high.json", trivy("HIGH"));
    const printed = "sh -c 'test -s \"$0\" && cat high.json; exit 1' {image}";
    expect(verdict(await project.run({ "vulnerability-command": printed, push: "false" }))).toEqual([
      0,
      "built",
      "",
    ]);
  });

  test("required files: missing, and shut out", async () => {
    const project = new Project(site, "acme/required");
    project.write(".dockerignore", "*\n!app.txt\n");
    project.write("bundle.js", "1");
    const step = await refused(
      project,
      { "required-files": "dist/*.js\nbundle.js\napp.txt" },
      "REQUIRED_FILE_MISSING",
    );
    expect(step.outputs["failure-reason"]).toMatch(
      /`dist\/\*\.js` matches no file.*`bundle\.js` is shut out by \.dockerignore/,
    );
  });

  test("a build that fails names its step", async () => {
    const project = new Project(site, "acme/broken");
    project.write("Dockerfile", "FROM base:test\nRUN echo about to fail && false\n");
    const step = await refused(project, {}, "BUILD_FAILED");
    expect(step.output).toContain("about to fail");
    expect(step.errors.map(({ properties }) => properties["line"])).toContain("2");
  });

  test("bad inputs: one error with all of them, before anything else", async () => {
    const project = new Project(site, "acme/bad");
    const bad = {
      images: "ghcr.io/acme/api:tag",
      context: "absent",
      tags: "type=nonsense",
      "max-size": "huge",
      secrets: "token=",
    };
    const step = await refused(project, bad, "BAD_INPUT");
    for (const name of ["images", "context", "tags", "max-size", "token"])
      expect(step.outputs["failure-reason"]).toContain(name);
    expect(step.output).not.toContain("::group::");
  });

  test("a wrong password, no right to push, a registry that is gone", async () => {
    const project = new Project(site, "acme/login");
    const wrong = await refused(project, { password: "wrong-password" }, "LOGIN_FAILED");
    expect(wrong.output).not.toContain("::group::build");
    const denied = new Project(site, "acme/denied", site.proxy.host);
    site.proxy.add({ fault: { kind: "status", status: 403 }, method: "POST" });
    const step = await refused(denied, {}, "DENIED");
    expect(step.output).not.toContain("::group::build");
    site.proxy.clear();
  });

  test("an engine that is not there, and an input that it cannot follow", async () => {
    const project = new Project(site, "acme/engine");
    await refused(project, { engine: "classic", "build-contexts": "other=." }, "UNSUPPORTED");
    const mark = project.mark();
    const gone = await project.run({ engine: "classic" }, { DOCKER_HOST: "unix:///nowhere" });
    expect(verdict(gone)).toEqual([1, "failed", "ENGINE_UNAVAILABLE"]);
    expect(project.writesSince(mark).length).toBeLessThanOrEqual(2);
  });
});
