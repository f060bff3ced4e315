import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { authKeyOf, isLoopback, isTag, normaliseHost, parseRepository } from "../src/registry/names.ts";

const HUB = {
  registry: "docker.io",
  origin: "https://registry-1.docker.io",
  authKey: "https://index.docker.io/v1/",
};

describe("repository names", () => {
  test.each([
    ["nginx", { ...HUB, name: "docker.io/library/nginx", path: "library/nginx" }],
    ["acme/api", { ...HUB, name: "docker.io/acme/api", path: "acme/api" }],
    ["docker.io/acme/api", { ...HUB, name: "docker.io/acme/api", path: "acme/api" }],
    ["index.docker.io/acme/api", { ...HUB, name: "docker.io/acme/api", path: "acme/api" }],
    ["registry-1.docker.io/acme/api", { ...HUB, name: "docker.io/acme/api", path: "acme/api" }],
    ["https://index.docker.io/acme/api", { ...HUB, name: "docker.io/acme/api", path: "acme/api" }],
    ["registry.hub.docker.com/acme/api", { ...HUB, name: "docker.io/acme/api", path: "acme/api" }],
    ["Docker.IO/Acme/API", { ...HUB, name: "docker.io/acme/api", path: "acme/api" }],
  ])("%s is one of Docker Hub's spellings", (text, repository) => {
    expect(parseRepository(text)).toEqual({ repository });
  });

  test.each([
    ["ghcr.io/Acme/API", "ghcr.io", "acme/api", "https://ghcr.io"],
    [
      "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/api",
      "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
      "team/api",
      "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    ],
    ["registry.example:8443/api", "registry.example:8443", "api", "https://registry.example:8443"],
    ["localhost/api", "localhost", "api", "http://localhost"],
    ["localhost:5000/a/b/c", "localhost:5000", "a/b/c", "http://localhost:5000"],
    ["127.0.0.1:5000/api", "127.0.0.1:5000", "api", "http://127.0.0.1:5000"],
    ["[::1]:5000/api", "[::1]:5000", "api", "http://[::1]:5000"],
    ["10.0.0.1:5000/api", "10.0.0.1:5000", "api", "https://10.0.0.1:5000"],
  ])("%s", (text, registry, path, origin) => {
    expect(parseRepository(text)).toEqual({
      repository: { name: `${registry}/${path}`, registry, path, origin, authKey: registry },
    });
  });

  test.each([
    ["", "is empty"],
    ["acme/api:1.0", "holds a tag"],
    ["localhost:5000/api:1.0", "holds a tag"],
    ["acme/api@sha256:abc", "holds a digest"],
    ["acme//api", "no repository name"],
    ["acme/-api", "no repository name"],
    ["acme/api ä", "no repository name"],
    ["acme/a___b", "no repository name"],
    ["ghcr.io/", "no repository name"],
    ["-bad-.example/api", "host name"],
    [`ghcr.io/${"a".repeat(256)}`, "no repository name"],
    ["ghcr.io/acme/../api", "no repository name"],
    ["ghcr.io/acme?x=1", "no repository name"],
  ])("%j is refused", (text, problem) => {
    expect(parseRepository(text)).toEqual({ problem: expect.stringContaining(problem) });
  });

  test("whatever is understood is safe to stand in a URL's path", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const parsed = parseRepository(text);
        if ("problem" in parsed) return;
        const { origin, path } = parsed.repository;
        expect(new URL(`${origin}/v2/${path}/tags/list`).pathname).toBe(`/v2/${path}/tags/list`);
        expect(parseRepository(parsed.repository.name)).toEqual(parsed);
      }),
      { numRuns: 2000 },
    );
  });

  test("a host's login key is the one that `docker login` writes", () => {
    expect(authKeyOf("https://index.docker.io/v1/")).toBe("https://index.docker.io/v1/");
    expect(authKeyOf("docker.io")).toBe("https://index.docker.io/v1/");
    expect(authKeyOf("https://ghcr.io/v2/")).toBe("ghcr.io");
    expect(normaliseHost("HTTPS://Registry.Example:5000/v1")).toBe("registry.example:5000");
  });

  test("loopback is this machine and no name that merely looks like it", () => {
    expect(
      ["localhost", "127.0.0.1", "127.8.9.10:5000", "[::1]:80", "a.localhost"].map(isLoopback),
    ).not.toContain(false);
    expect(
      ["127.0.0.1.example.org", "localhost.example.org", "128.0.0.1", "10.0.0.1"].map(isLoopback),
    ).not.toContain(true);
  });

  test("tags follow the grammar", () => {
    expect(["latest", "_x", "1.0-a_b", "A".repeat(128)].map(isTag)).not.toContain(false);
    expect(["", ".x", "-x", "a/b", "a+b", "A".repeat(129), "ä"].map(isTag)).not.toContain(true);
  });
});
