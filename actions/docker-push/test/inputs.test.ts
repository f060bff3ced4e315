import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { splitSecrets } from "../src/inputs/build-secrets.ts";
import { requirePlatforms } from "../src/phases/make-image.ts";
import { destinationOf } from "../src/plan/destination.ts";
import { parseWith, problemsOf, workspaceWithDockerfile } from "./inputs.ts";

const workspace = workspaceWithDockerfile();
writeFileSync(join(workspace, "secret.txt"), "file-secret\n");
writeFileSync(join(workspace, "empty.txt"), "\n");
mkdirSync(join(workspace, "folder"));

describe("bad inputs", () => {
  test.each<[Record<string, string>, string]>([
    [{ images: "" }, "`images` is required"],
    [{ images: "ghcr.io/acme/api:v1" }, "holds a tag"],
    [{ images: "ghcr.io/acme//api" }, "is no repository name"],
    [{ images: "ghcr.io/acme/api,ghcr.io/acme/web" }, "several names"],
    [{ images: "name=ghcr.io/acme/api,enable=false" }, "every one of them"],
    [{ context: "absent" }, "`context` is `absent`, which does not exist"],
    [{ context: "secret.txt" }, "which is no folder"],
    [{ context: "https://github.com/acme/api.git" }, "allowed is a folder of the workspace"],
    [{ file: "absent.Dockerfile" }, "`file` is `absent.Dockerfile`, which does not exist"],
    [{ "working-directory": "absent" }, "`working-directory` is no folder"],
    [{ username: "robot" }, "`password` is empty"],
    [{ password: "secret-word" }, "without `username`"],
    [
      { "registry-auth": "- registry: ghcr.io\n  username: robot\n  password: ''" },
      "entry 1 has no `password`",
    ],
    [{ "registry-auth": "registry: ghcr.io" }, "is no list"],
    [{ "registry-auth": "- registry: [\n" }, "is no YAML"],
    [
      { "registry-auth": "- username: a\n  password: bbbb\n- username: c\n  password: dddd" },
      "gives `docker.io` twice",
    ],
    [
      { "registry-auth": "- username: a\n  password: bbbb", username: "a", password: "bbbb" },
      "one of the two ways",
    ],
    [{ "build-args": "NPM_TOKEN=abc" }, "`NPM_TOKEN` is one of a secret"],
    [{ "build-args": "dbPassword=abc" }, "`dbPassword` is one of a secret"],
    [
      { "build-args": "URL=https://robot:secret-word@x", username: "robot", password: "secret-word" },
      "value of `URL`",
    ],
    [{ "build-args": "VERSION" }, "line 1 is not `KEY=value`"],
    [{ secrets: "token=" }, "`token` is empty"],
    [{ secrets: "just-a-value" }, "entry 1 is not `id=value`"],
    [{ secrets: "a=1111\na=2222" }, "`a` is given twice"],
    [{ "secret-files": "key=absent.txt" }, "does not exist"],
    [{ "secret-files": "key=empty.txt" }, "is empty"],
    [{ "secret-envs": "key=NOT_SET" }, "which is not set"],
    [{ "secret-envs": "key=BLANK" }, "which is empty"],
    [{ ssh: "default" }, "no agent runs"],
    [{ ssh: "default=/no/such/key" }, "does not exist"],
    [{ platforms: "amd64" }, "`platforms` holds `amd64`"],
    [{ platforms: "linux/amd64,linux/arm64", load: "true" }, "a local engine keeps an image of one platform"],
    [{ "shm-size": "big" }, "`shm-size` is `big`"],
    [{ ulimit: "files" }, "`ulimit` holds `files`"],
    [{ "add-hosts": "host" }, "`add-hosts` holds `host`"],
    [{ "required-files": "../x" }, "globs below the context"],
    [{ "max-size": "50 apples" }, "`max-size` is `50 apples`"],
    [{ "max-growth": "lots" }, "`max-growth` is `lots`"],
    [{ images: "# ghcr.io/acme/api" }, "`images` holds comments only"],
    [{ tags: "type=unknown" }, "unknown type `unknown`"],
    [{ flavor: "latest=perhaps" }, "`flavor`"],
    [{ "branch-tags": "main" }, "`branch-tags` cannot be read"],
    [{ "branch-tags": "main=" }, "`main` has no tags"],
    [{ overwrite: "yes" }, "`overwrite` is `yes`"],
    [{ engine: "kaniko" }, "`engine` is `kaniko`"],
    [{ source: "podman:x" }, "`source` is `podman:x`"],
    [{ source: "tar:absent.tar" }, "`source` is the archive `absent.tar`, which does not exist"],
    [{ source: "daemon:x", "build-args": "A=1" }, "nothing is built then"],
    [{ annotations: "novalue" }, "is not `key=value`"],
    [{ annotations: "layer:a=b" }, "is about `layer`"],
    [{ annotations: "index:a=b" }, "several `platforms`"],
    [{ "vulnerability-fail-on": "terrible" }, "`vulnerability-fail-on` is `terrible`"],
    [{ "vulnerability-command": "trivy image | tee x" }, "`vulnerability-command`"],
    [{ "vulnerability-ignore-file": "absent.yml" }, "which does not exist"],
    [{ "ecr-create-repository": "true", ecr: "false" }, "take one of them back"],
    [{ "aws-region": "Ireland" }, "`aws-region` is `Ireland`"],
    [{ "artifact-digest": `sha256:${"0".repeat(64)}` }, "without `artifact-name`"],
    [{ timeout: "soon" }, "`timeout` is `soon`"],
    [{ provenance: "perhaps" }, "`provenance` is `perhaps`"],
  ])("%j", (given, why) => {
    const problems = problemsOf(workspace, given, { BLANK: " " });
    expect(problems.join("\n")).toContain(why);
    expect(problems).toHaveLength(1);
    expect(problems.join("\n")).not.toMatch(/secret-word|bbbb|1111|just-a-value/);
  });

  test("all of them stand in one message", () => {
    const given = { images: "", context: "absent", tags: "type=x", secrets: "a=", "max-size": "x" };
    expect(problemsOf(workspace, given)).toHaveLength(5);
  });
});

describe("good inputs", () => {
  test("lines that start with # are comments, as in docker/metadata-action", () => {
    const lists = {
      images: "# both\nghcr.io/acme/api",
      tags: "# by branch\ntype=ref,event=branch\n  # type=sha\n",
      flavor: "# none\nlatest=false",
    };
    expect(problemsOf(workspace, lists)).toEqual([]);
    const { inputs } = parseWith(workspace, lists);
    expect(inputs.registry.images.map(({ name }) => name)).toEqual(["ghcr.io/acme/api"]);
    expect(inputs.tags.rules.map(({ type }) => type)).toEqual(["ref"]);
    expect(inputs.tags.flavor.latest).toBe("false");
  });

  test("a file in the context that is named from there is hinted at", () => {
    writeFileSync(join(workspace, "folder", "Dockerfile.prod"), "FROM scratch\n");
    const [problem] = problemsOf(workspace, { context: "folder", file: "Dockerfile.prod" });
    expect(problem).toContain("write `folder/Dockerfile.prod`");
  });

  test("secrets of all three kinds are read and masked", () => {
    const { inputs, masks } = parseWith(
      workspace,
      {
        secrets: 'one=first=value\n"two=line 1\nline ""2"""',
        "secret-files": "three=secret.txt",
        "secret-envs": "four=FOUR",
      },
      { FOUR: "from-variable" },
    );
    expect(inputs.build.secrets.map(({ id, value }) => [id, value.toString()])).toEqual([
      ["one", "first=value"],
      ["two", 'line 1\nline "2"'],
      ["three", "file-secret\n"],
      ["four", "from-variable"],
    ]);
    for (const value of ["first=value", "line 1", "file-secret", "from-variable"])
      expect(masks).toContain(value);
    expect(inputs.secretValues).toContain("file-secret");
  });

  test("entries of secrets", () => {
    expect(splitSecrets('a=1\n\n"b=2\n3"\nc="quoted"\n')).toEqual(["a=1", "b=2\n3", 'c="quoted"']);
  });

  test("logins: one, several, and none of a pull request", () => {
    const one = parseWith(workspace, { registry: "ghcr.io", username: "robot", password: "pass-word\n" });
    expect(one.inputs.registry.logins).toEqual([
      { registry: "ghcr.io", username: "robot", password: "pass-word" },
    ]);
    const hub = parseWith(workspace, { username: "robot", password: "pass-word" });
    expect(hub.inputs.registry.logins[0]?.registry).toBe("docker.io");
    const several = parseWith(workspace, {
      "registry-auth":
        "- registry: https://index.docker.io/v1/\n  username: a\n  password: pass-one\n- registry: ghcr.io\n  username: b\n  password: pass-two",
    });
    expect(several.inputs.registry.logins.map(({ registry }) => registry)).toEqual(["docker.io", "ghcr.io"]);
    expect(several.masks).toEqual(expect.arrayContaining(["pass-one", "pass-two"]));
    const pull = parseWith(
      workspace,
      { username: "robot", password: "" },
      { GITHUB_EVENT_NAME: "pull_request" },
    );
    expect(pull.inputs.registry.logins).toEqual([]);
    expect(() => pull.read.finish()).not.toThrow();
  });

  test("images as docker/metadata-action takes them", () => {
    const { inputs } = parseWith(workspace, {
      images: "name=GHCR.io/Acme/API\nname=acme/api,enable=false\nnginx",
    });
    expect(inputs.registry.images.map(({ name }) => name)).toEqual([
      "ghcr.io/acme/api",
      "docker.io/library/nginx",
    ]);
  });

  test("an empty `branch-tags` is none, one that is not given the usual", () => {
    expect(parseWith(workspace, { "branch-tags": "" }).inputs.tags.branchTags.size).toBe(0);
    expect(
      parseWith(workspace, { "branch-tags": "main: prod,live" }).inputs.tags.branchTags.get("main"),
    ).toEqual(["prod", "live"]);
  });

  test("names of build arguments that only sound like secrets pass", () => {
    const args =
      "TOKEN_URL=https://x\nPASSWORD_FILE=/run/x\nPUBLIC_KEY=abc\nEMPTY_TOKEN=\nKEYBOARD=de\nAUTHOR=me";
    expect(problemsOf(workspace, { "build-args": args })).toEqual([]);
  });

  test("an artifact may still bring what the build starts from", () => {
    expect(problemsOf(workspace, { context: "absent", "artifact-name": "app" })).toEqual([]);
  });

  test("annotations with levels and platforms", () => {
    const { inputs } = parseWith(workspace, {
      platforms: "linux/amd64,linux/arm64",
      annotations: "a=1\nindex,manifest[linux/arm64]:b=x:y=z",
    });
    expect(inputs.annotations).toEqual([
      { level: "manifest", platform: "", key: "a", value: "1" },
      { level: "index", platform: "", key: "b", value: "x:y=z" },
      { level: "manifest", platform: "linux/arm64", key: "b", value: "x:y=z" },
    ]);
  });
});

describe("platforms", () => {
  const image = (architecture: string, variant?: string) => ({
    platform: { os: "linux", architecture, ...(variant ? { variant } : {}) },
  });
  test.each([
    [["linux/amd64", "linux/arm64"], [image("amd64"), image("arm64", "v8")], true],
    [["linux/amd64", "linux/arm64"], [image("amd64"), image("amd64")], false],
    [["linux/arm/v7"], [image("arm", "v6")], false],
    [["linux/arm64"], [image("amd64")], false],
    [[], [image("amd64")], true],
  ])("%j from %j: %s", (wanted, images, good) => {
    const check = () => requirePlatforms(images, wanted);
    if (good) expect(check).not.toThrow();
    else expect(check).toThrow("the engine gave out");
  });
});

describe("whether an image is pushed", () => {
  const github = { eventName: "pull_request", repository: "acme/shop" };
  test.each([
    [{ push: true }, { ...github, eventName: "push" }, "", false, "push"],
    [{ push: false }, { ...github, eventName: "push" }, "", true, "gate-only"],
    [{ push: true }, github, "acme/shop", true, "push"],
    [{ push: true }, github, "Acme/Shop", true, "push"],
    [{ push: true }, github, "acme/shop", false, "gate-only"],
    [{ push: true }, github, "mallory/shop", true, "gate-only"],
    [{ push: true }, github, "unknown", true, "gate-only"],
    [{ push: true }, { ...github, eventName: "pull_request_target" }, "mallory/shop", true, "gate-only"],
  ])("%j %j from %s, login %s: %s", (inputs, run, headRepository, hasLogin, kind) => {
    expect(destinationOf(inputs, run, { headRepository }, hasLogin).kind).toBe(kind);
  });
});
