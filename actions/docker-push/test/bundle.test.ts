import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import type { StepResult } from "../../../lib/testing/runner.ts";
import { openSite, Project, SITE_PROBLEM, type Site } from "./bundle-kit.ts";
import { ChildWatch } from "./children.ts";

let site: Site;
beforeAll(async () => {
  if (SITE_PROBLEM === "") site = await openSite();
});
afterAll(async () => {
  await site?.stop();
});

const tagsOf = (step: StepResult) =>
  (step.outputs["tags"] ?? "").split("\n").map((name) => name.split(":").at(-1));
const verdict = (step: StepResult) => [step.exitCode, step.outputs["outcome"], step.outputs["failure-code"]];

(SITE_PROBLEM === "" ? describe : describe.skip)(`the whole flow ${SITE_PROBLEM}`, () => {
  test("builds, gates, pushes and proves; the same commit again changes nothing", async () => {
    const project = new Project(site, "acme/flow");
    const first = await project.run();
    expect(verdict(first)).toEqual([0, "succeeded", ""]);
    const { digest } = first.outputs;
    expect(tagsOf(first)).toEqual([`sha-${project.git("rev-parse", "HEAD").slice(0, 7)}`, "main", "latest"]);
    for (const tag of tagsOf(first)) expect([tag, await project.served(tag ?? "")]).toEqual([tag, digest]);
    expect(first.outputs["image"]).toBe(`${project.image}@${digest}`);
    expect(first.outputs["version"]).toBe("main");
    expect(Number(first.outputs["size-compressed"])).toBeGreaterThan(100);
    expect(first.report).toMatchObject({ subjects: [{ type: "image", name: project.image, digest }] });
    expect(first.summary).toContain(`docker pull ${project.image}@${digest}`);
    expectValidReport(first.report);

    const mark = project.mark();
    const again = await project.run({ preflight: "false" });
    expect(verdict(again)).toEqual([0, "unchanged", ""]);
    expect(again.outputs["digest"]).toBe(digest);
    expect(project.writesSince(mark)).toEqual([]);
    expect(project.site.registry.accessLog().length - mark).toBeLessThanOrEqual(15);
    expectValidReport(again.report);
    expect(project.leftovers()).toEqual([]);
  });

  test("the same commit, built anew from another checkout, has the same digest", async () => {
    const one = new Project(site, "acme/one");
    const two = new Project(site, "acme/two");
    const three = new Project(site, "acme/three");
    // A developer's files are older than the commit, those of a checkout younger.
    utimesSync(join(three.runner.workspace, "app.txt"), 978_307_200, 978_307_200);
    const digests = [
      await one.run({ "no-cache": "true" }),
      await two.run({ "no-cache": "true" }),
      await three.run({ "no-cache": "true" }),
    ].map((step) => step.outputs["digest"]);
    expect(digests[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(digests.slice(1)).toEqual([digests[0], digests[0]]);
  });

  test("more tags for an image that is there cost a PUT each, and a second repository takes its blobs over", async () => {
    const project = new Project(site, "acme/more");
    const inputs = { "branch-tags": "", preflight: "false" };
    const first = await project.run({ ...inputs, tags: "one" });
    const mark = project.mark();
    const second = await project.run({ ...inputs, tags: "one\ntwo\nthree" });
    expect([second.outputs["outcome"], second.outputs["digest"]]).toEqual([
      "succeeded",
      first.outputs["digest"],
    ]);
    expect(project.writesSince(mark)).toEqual(["PUT", "PUT"]);
    const both = await project.run({
      ...inputs,
      tags: "one",
      images: `${project.image}\n${project.image}-two`,
    });
    expect(verdict(both)).toEqual([0, "succeeded", ""]);
    // One POST for each blob (a mount), no PATCH, then the manifest and the tag.
    expect(project.writesSince(mark).slice(2)).toEqual(["POST", "POST", "PUT", "PUT"]);
    expect(JSON.parse(both.outputs["pushed"] ?? "[]")).toMatchObject([
      { repository: "acme/more", tag: "one", action: "unchanged" },
      { repository: "acme/more-two", tag: "one", action: "created" },
    ]);
  });

  test("`latest`, X and X.Y move forward only", async () => {
    const project = new Project(site, "acme/forward");
    const tags =
      "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}}";
    const release = async (content: string, tag: string) => {
      project.commit(content, tag);
      return project.run({ tags }, project.commitEnv(`refs/tags/${tag}`));
    };
    const newest = await release("two", "v2.0.1");
    expect(tagsOf(newest)).toEqual(["2.0.1", "2.0", "2", "latest"]);
    const older = await release("one nine", "v1.9.1");
    expect(tagsOf(older)).toEqual(["1.9.1", "1.9", "1"]);
    const candidate = await release("three", "v3.0.0-rc.1");
    expect(tagsOf(candidate)).toEqual(["3.0.0-rc.1"]);
    expect(await project.served("latest")).toBe(newest.outputs["digest"]);
    // A shallow checkout has no git tags: the registry's own count.
    project.git("tag", "--delete", "v2.0.1", "v3.0.0-rc.1");
    project.commit("one nine two", "v1.9.2");
    const shallow = await project.run({ tags }, project.commitEnv("refs/tags/v1.9.2"));
    expect(tagsOf(shallow)).toEqual(["1.9.2", "1.9", "1"]);
    expect(await project.served("latest")).toBe(newest.outputs["digest"]);
    const branch = await project.run({});
    expect(tagsOf(branch)).not.toContain("latest");
  });

  test("an immutable tag with another digest is refused, and nothing moves", async () => {
    const project = new Project(site, "acme/immutable");
    const first = await project.run({ tags: "1.0.0", "branch-tags": "main=main" });
    project.commit("other");
    const second = await project.run({ tags: "1.0.0", "branch-tags": "main=main" });
    expect(verdict(second)).toEqual([1, "failed", "TAG_IMMUTABLE"]);
    expect(second.outputs["failure-reason"]).toContain("1.0.0");
    expect([await project.served("1.0.0"), await project.served("main")]).toEqual([
      first.outputs["digest"],
      first.outputs["digest"],
    ]);
    const forced = await project.run({ tags: "1.0.0", "branch-tags": "main=main", overwrite: "always" });
    expect(await project.served("1.0.0")).toBe(forced.outputs["digest"]);
  });

  test("an image of the engine and one in a file are pushed as they are", async () => {
    const project = new Project(site, "acme/source");
    project.site.engine.docker(["build", "--quiet", "--tag", "mine:1", project.runner.workspace]);
    const id = project.site.engine.docker(["image", "inspect", "--format", "{{.Id}}", "mine:1"]).trim();
    const daemon = await project.run({ source: "daemon:mine:1", tags: "daemon" });
    expect([...verdict(daemon), daemon.outputs["imageid"]]).toEqual([0, "succeeded", "", id]);
    project.site.engine.docker(["save", "--output", join(project.runner.workspace, "mine.tar"), "mine:1"]);
    const tar = await project.run(
      { source: "tar:mine.tar", tags: "tar" },
      { DOCKER_HOST: "unix:///nowhere" },
    );
    expect([...verdict(tar), tar.outputs["digest"]]).toEqual([0, "succeeded", "", daemon.outputs["digest"]]);
  });

  test("several platforms make an index of as many images; the second is no copy of the first", async () => {
    const project = new Project(site, "acme/platforms");
    const inputs = { platforms: "linux/amd64,linux/arm64", annotations: "index:team=shop", load: "false" };
    const step = await project.run(inputs);
    expect(verdict(step)).toEqual([0, "succeeded", ""]);
    expect(await project.served("main")).toBe(step.outputs["digest"]);
    const index = await project.manifest(step.outputs["digest"] ?? "");
    expect(index).toMatchObject({
      annotations: { team: "shop" },
      manifests: [{ platform: { architecture: "amd64" } }, { platform: { architecture: "arm64" } }],
    });
    expect(verdict(await project.run(inputs))).toEqual([0, "unchanged", ""]);
  });

  test("documents are attached, and the image is kept in the engine under all its names", async () => {
    const project = new Project(site, "acme/attached");
    const step = await project.run({ sbom: "true", provenance: "true", load: "true" });
    expect(verdict(step)).toEqual([0, "succeeded", ""]);
    const listed = await project.manifest((step.outputs["digest"] ?? "").replace(":", "-"));
    expect(JSON.stringify(listed)).toContain("application/spdx+json");
    expect(JSON.stringify(listed)).toContain("application/vnd.in-toto+json");
    const id = project.site.engine.docker([
      "image",
      "inspect",
      "--format",
      "{{.Id}}",
      `${project.image}:main`,
    ]);
    expect(id.trim()).toBe(step.outputs["imageid"]);
  });

  test("dry-run needs neither engine nor login and writes nothing", async () => {
    const project = new Project(site, "acme/dry");
    const mark = project.mark();
    const step = await project.run(
      { "dry-run": "true", username: "", password: "" },
      { DOCKER_HOST: "unix:///nowhere", PATH: "/usr/bin:/bin" },
    );
    expect(verdict(step)).toEqual([0, "planned", ""]);
    expect(tagsOf(step)).toContain("main");
    expect(step.outputs["labels"]).toContain("org.opencontainers.image.revision=");
    expect(step.outputs["version"]).toBe("main");
    expect(project.writesSince(mark)).toEqual([]);
    expect(project.leftovers()).toEqual([]);
    expectValidReport(step.report);
    // Port 9 (discard) has no listener: a registry out of reach is no reason to fail, nor to wait for long.
    const away = await project.run({
      "dry-run": "true",
      images: "127.0.0.1:9/acme/dry",
      registry: "",
      username: "",
      password: "",
    });
    expect([...verdict(away), tagsOf(away).includes("latest")]).toEqual([0, "planned", "", true]);
    expect(away.durationMs).toBeLessThan(10_000);
  });

  test("a pull request from a fork only builds and gates", async () => {
    const project = new Project(site, "acme/fork");
    const env = {
      ...project.commitEnv("refs/pull/7/merge"),
      GITHUB_EVENT_NAME: "pull_request",
      ...project.event({ pull_request: { number: 7, head: { repo: { full_name: "mallory/shop" } } } }),
    };
    const mark = project.mark();
    const step = await project.run({ username: "robot", password: "" }, env);
    expect(verdict(step)).toEqual([0, "built", ""]);
    expect(step.commands.filter(({ name }) => name === "notice").map(({ data }) => data)).toEqual([
      expect.stringContaining("mallory/shop"),
    ]);
    expect([step.outputs["digest"], tagsOf(step).includes("pr-7")]).toEqual(["", true]);
    expect(step.outputs["config-digest"]).toMatch(/^sha256:/);
    expect(project.writesSince(mark)).toEqual([]);
    expectValidReport(step.report);
  });

  test("logins are in no child, log, output, state, report or file, and the shared configuration stays as it was", async () => {
    const project = new Project(site, "acme/canary");
    const home = join(project.runner.root, "docker");
    mkdirSync(home);
    const shared = JSON.stringify({ auths: { "other.example": { auth: "b3RoZXI6c2VjcmV0" } } });
    writeFileSync(join(home, "config.json"), shared);
    const { password, username } = site.registry;
    const running = project.start({ preflight: "true" }, { DOCKER_CONFIG: home });
    const watch = new ChildWatch(running.process.pid ?? 0);
    const step = await running.result;
    const children = watch.stop();
    expect(step.outputs["outcome"]).toBe("succeeded");
    expect(children.length).toBeGreaterThan(2);
    const encoded = [password, `${username}:${password}`].map((text) => Buffer.from(text).toString("base64"));
    const canaries = [password, ...encoded];
    const log = step.output.replace(/^::add-mask::.*$/gm, "");
    const places = [
      log,
      step.summary,
      ...Object.values(step.outputs),
      ...Object.values(step.state),
      JSON.stringify(step.report),
    ];
    for (const canary of canaries) {
      for (const child of children) expect(child.commandLine + child.environment).not.toContain(canary);
      for (const place of places) expect(place).not.toContain(canary);
    }
    expect(readFileSync(join(home, "config.json"), "utf8")).toBe(shared);
    const after = await project.post(step);
    expect([after.exitCode, project.leftovers()]).toEqual([0, []]);
  });
});
