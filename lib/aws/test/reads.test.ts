import { describe, expect, test } from "@jest/globals";
import { FakeClock } from "../../testing/fake-clock.ts";
import { list, object, pages } from "../answers.ts";
import type { AwsService, JsonObject } from "../call.ts";
import { ecrLogins, ensureRepository, parseEcrHost } from "../ecr.ts";
import { AwsError } from "../errors.ts";
import { asked } from "../retry.ts";

const refused = (name: string) =>
  new AwsError("ecs:X", Object.assign(new Error("x"), { name, $metadata: { httpStatusCode: 400 } }));

describe("asked", () => {
  test("asks again after a throttle, with growing pauses, and answers", async () => {
    const clock = new FakeClock(0, true);
    let tries = 0;
    const ask = async () => {
      if (++tries < 4) throw refused("ThrottlingException");
      return tries;
    };
    expect(await asked(ask, { clock, random: () => 1 })).toBe(4);
    expect(clock.now()).toBe(500 + 1000 + 2000);
  });

  test.each([
    ["ThrottlingException", 5],
    ["AccessDeniedException", 1],
    ["ClientException", 1],
  ])("%s is asked %d times in all", async (name, count) => {
    let tries = 0;
    const ask = async () => {
      tries++;
      throw refused(name);
    };
    await expect(asked(ask, { clock: new FakeClock(0, true) })).rejects.toMatchObject({ name });
    expect(tries).toBe(count);
  });
});

describe("answers", () => {
  test("what is no list or object counts as an empty one", () => {
    expect([list(undefined), list({}), list([1]), object(null), object([1]), object({ a: 1 })]).toEqual([
      [],
      [],
      [1],
      {},
      {},
      { a: 1 },
    ]);
  });

  test("pages are read to the end, also when a token repeats itself", async () => {
    const seen: JsonObject[] = [];
    const read = (tokens: (string | undefined)[]) =>
      pages<number>("items", async (token) => {
        seen.push(token);
        return { items: [seen.length], nextToken: tokens[seen.length - 1] };
      });
    expect(await read(["a", "b", undefined])).toEqual([1, 2, 3]);
    expect(seen).toEqual([{}, { nextToken: "a" }, { nextToken: "b" }]);
    seen.length = 0;
    expect(await read(["a", "a", "a"])).toEqual([1, 2]);
  });
});

describe("ECR", () => {
  test.each([
    ["123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1"],
    ["123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"],
    ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"],
    ["123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1"],
  ])("%s", (host, region) => {
    expect(parseEcrHost(host)).toEqual({ kind: "private", host, account: "123456789012", region });
  });

  test.each([
    "ghcr.io",
    "12345.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.org",
    "evil.org/123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr..amazonaws.com",
  ])("%s is none", (host) => {
    expect(parseEcrHost(host)).toBeUndefined();
  });

  function recorded(answer: (service: AwsService) => JsonObject) {
    const calls: unknown[][] = [];
    return {
      calls,
      call: async (
        service: AwsService,
        operation: string,
        input: JsonObject,
        options?: { region?: string },
      ) => {
        calls.push([service, operation, input, options?.region]);
        return answer(service);
      },
    };
  }
  const registryOf = (host: string) => {
    const registry = parseEcrHost(host);
    if (registry === undefined) throw new Error(host);
    return registry;
  };
  const token = (text: string) => Buffer.from(text).toString("base64");

  test("one token a region opens all accounts; the public registry has its own", async () => {
    const { call, calls } = recorded((service) =>
      service === "ecr"
        ? { authorizationData: [{ authorizationToken: token("AWS:se:cret"), expiresAt: 1_700_000_000 }] }
        : { authorizationData: { authorizationToken: token("AWS:open") } },
    );
    const hosts = [
      "111111111111.dkr.ecr.eu-west-1.amazonaws.com",
      "222222222222.dkr.ecr.eu-west-1.amazonaws.com",
      "222222222222.dkr.ecr.us-east-2.amazonaws.com",
      "public.ecr.aws",
    ];
    const logins = await ecrLogins(call, hosts.map(registryOf));
    expect([...logins.keys()]).toEqual(hosts);
    expect(logins.get(hosts[0] ?? "")).toEqual({
      username: "AWS",
      password: "se:cret",
      expiresAt: 1_700_000_000_000,
    });
    expect(logins.get("public.ecr.aws")?.password).toBe("open");
    expect(calls).toEqual([
      ["ecr", "GetAuthorizationToken", {}, "eu-west-1"],
      ["ecr", "GetAuthorizationToken", {}, "us-east-2"],
      ["ecr-public", "GetAuthorizationToken", {}, "us-east-1"],
    ]);
  });

  test("no token in the answer is an error, not an empty password", async () => {
    const { call } = recorded(() => ({ authorizationData: [] }));
    await expect(ecrLogins(call, [registryOf("public.ecr.aws")])).rejects.toMatchObject({
      code: "LOGIN_FAILED",
    });
  });

  test("a repository that exists is no error", async () => {
    const { call, calls } = recorded(() => ({}));
    const registry = registryOf("111111111111.dkr.ecr.eu-west-1.amazonaws.com");
    expect(await ensureRepository(call, registry, "team/api")).toBe("created");
    expect(await ensureRepository(call, registryOf("public.ecr.aws"), "alias/team/api")).toBe("created");
    expect(calls).toEqual([
      ["ecr", "CreateRepository", { registryId: "111111111111", repositoryName: "team/api" }, "eu-west-1"],
      ["ecr-public", "CreateRepository", { repositoryName: "team/api" }, "us-east-1"],
    ]);
    const exists = async () => Promise.reject(refused("RepositoryAlreadyExistsException"));
    expect(await ensureRepository(exists, registry, "team/api")).toBe("exists");
    const denied = async () => Promise.reject(refused("AccessDeniedException"));
    await expect(ensureRepository(denied, registry, "team/api")).rejects.toMatchObject({
      code: "ACCESS_DENIED",
    });
  });
});
