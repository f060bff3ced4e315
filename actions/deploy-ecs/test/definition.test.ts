import { describe, expect, test } from "@jest/globals";
import { digestOf } from "../src/definition/canonical.ts";
import { differences } from "../src/definition/diff.ts";
import { digestIn, imageWarnings, isPinned } from "../src/definition/images.ts";
import { fromFile, revisionOf } from "../src/definition/load.ts";
import { compareEcho } from "../src/definition/lost.ts";
import { containersOf, type Definition, type Edits } from "../src/definition/model.ts";
import { planDefinition } from "../src/definition/plan.ts";
import { render } from "../src/definition/render.ts";
import { secretValues } from "../src/definition/secrets.ts";
import { assign, described, NOTHING, revision, SHOP } from "./definitions.ts";

/** The rendered containers by name. */
function rendered(edits: Partial<Edits>, definition = SHOP): Record<string, Definition> {
  const result = render(definition, { ...NOTHING, ...edits });
  if (result.kind === "refused") throw new Error(result.problems.join("; "));
  return Object.fromEntries(containersOf(result.definition).map((item) => [String(item["name"]), item]));
}

describe("loading", () => {
  test("what DescribeTaskDefinition answers loses what ECS sets by itself, keeps all else and gets its tags", () => {
    const tags = [
      { key: "team", value: "shop" },
      { key: "aws:cloudformation:stack-name", value: "x" },
    ];
    const { definition, ...rest } = revisionOf(described({ ...SHOP, tags }));
    expect(rest).toMatchObject({ family: "shop", revision: 7, active: true });
    const own = ["taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities"];
    for (const member of [...own, "registeredAt", "registeredBy"])
      expect(definition).not.toHaveProperty(member);
    expect(definition).toMatchObject({ futureMember: "kept", tags: [{ key: "team", value: "shop" }] });
  });

  test("a revision that is not ACTIVE says so", () => {
    const { taskDefinition } = described(SHOP);
    expect(revisionOf({ taskDefinition: { ...taskDefinition, status: "INACTIVE" } }).active).toBe(false);
  });

  test("a file may hold what the AWS CLI prints; nulls are left out, empty texts are not", () => {
    const file = fromFile({
      taskDefinition: { ...SHOP, revision: 3, pidMode: null },
      tags: [{ key: "a", value: "" }],
    });
    expect(file).toEqual({ ...SHOP, tags: [{ key: "a", value: "" }] });
    const labelled = {
      family: "x",
      containerDefinitions: [{ name: "a", dockerLabels: { a: "" }, command: [""] }],
    };
    expect(fromFile(labelled)).toEqual(labelled);
  });
});

describe("planning", () => {
  const base = { edits: NOTHING, described: undefined, running: revision(SHOP), balanced: [] };
  test("another revision that is not changed is used as it is", () => {
    const older = revision({ ...SHOP, cpu: "1024" }, 3);
    const plan = planDefinition({ ...base, source: { kind: "revision", name: "shop:3" }, described: older });
    expect(plan).toMatchObject({
      kind: "use",
      arn: older.arn,
      differences: [{ text: "cpu changed: 256 -> 1024" }],
    });
  });

  test("an inactive revision is refused as it is, and may be changed into a new one", () => {
    const gone = { ...revision({ ...SHOP, cpu: "1024" }, 3), active: false };
    const facts = { ...base, source: { kind: "revision", name: "shop:3" }, described: gone } as const;
    expect(planDefinition(facts)).toMatchObject({
      kind: "refused",
      problems: [expect.stringContaining("ACTIVE")],
    });
    expect(planDefinition({ ...facts, edits: { ...NOTHING, image: "n:2" } }).kind).toBe("register");
  });

  test("edits that say what already is register nothing", () => {
    const edits = { ...NOTHING, image: "shop:1", environment: assign("A=canary-a"), command: undefined };
    expect(planDefinition({ ...base, source: { kind: "running" }, edits }).kind).toBe("use");
  });
});

describe("differences", () => {
  const after = rendered({
    image: "shop:2",
    environment: assign("A=changed", "N=new"),
    secrets: assign("B=/b"),
    command: ["--password", "canary"],
  });
  test("are told line by line, values only where they are harmless", () => {
    const definition = {
      ...SHOP,
      cpu: "512",
      tags: [{ key: "team", value: "canary" }],
      containerDefinitions: [
        { ...after["app"], portMappings: [{ containerPort: 9000 }] },
        { name: "log", image: "l" },
      ],
    };
    expect(
      differences(SHOP, definition)
        .map((difference) => difference.text)
        .sort(),
    ).toEqual([
      "container app: command added",
      "container app: environment A changed",
      "container app: environment B removed",
      "container app: environment N added",
      "container app: image changed: shop:1 -> shop:2",
      "container app: port 8000/tcp removed",
      "container app: port 9000/tcp added",
      "container app: secret B added",
      "container log added",
      "container side removed",
      "cpu changed: 256 -> 512",
      "tag team added",
    ]);
  });

  test("are none between what means the same", () => {
    const [app, side] = containersOf(SHOP);
    const same = {
      ...SHOP,
      cpu: ".25 vCPU",
      memory: "0.5GB",
      enableFaultInjection: false,
      requiresCompatibilities: [],
      taskRoleArn: "",
      containerDefinitions: [side, { ...app, portMappings: [{ containerPort: 8000, protocol: "TCP" }] }],
    };
    expect(differences(SHOP, same)).toEqual([]);
    expect(digestOf(same)).toBe(digestOf(SHOP));
    expect(digestOf(same)).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

describe("the echo of a registration", () => {
  const [app, side] = containersOf(SHOP);
  test.each<[string, Definition, Definition, readonly string[]]>([
    ["a member of the top", SHOP, { ...SHOP, futureMember: undefined }, ["$.futureMember"]],
    [
      "a member deep in a container that stands elsewhere",
      SHOP,
      { ...SHOP, containerDefinitions: [side, { ...app, futureMember: { deep: [{}] } }] },
      ["$.containerDefinitions[0].futureMember.deep[0].x"],
    ],
    [
      "a variable",
      SHOP,
      { ...SHOP, containerDefinitions: [{ ...app, environment: [{ name: "B", value: "canary-b" }] }, side] },
      ["$.containerDefinitions[0].environment[0]"],
    ],
    ["a container", SHOP, { ...SHOP, containerDefinitions: [app] }, ["$.containerDefinitions[1]"]],
    ["a name that is no word", { ...SHOP, "a-b": 1 }, SHOP, ['$["a-b"]']],
    ["false where nobody knows that it is the default", { ...SHOP, newFlag: false }, SHOP, ["$.newFlag"]],
    ["an argument", { ...SHOP, x: ["a", "b"] }, { ...SHOP, x: ["a"] }, ["$.x[1]"]],
  ])("that lacks %s names it", (_name, sent, echo, lost) => {
    expect(compareEcho(sent, echo)).toEqual({ lost, changed: [] });
  });

  test.each<[string, Definition, Definition]>([
    ["empty lists", { ...SHOP, volumes: [], placementConstraints: [] }, SHOP],
    [
      "defaults",
      { ...SHOP, enableFaultInjection: false, networkMode: "bridge" },
      { ...SHOP, networkMode: undefined },
    ],
    [
      "the host's ports where they are the container's",
      { ...SHOP, containerDefinitions: [{ ...app, portMappings: [{ containerPort: 1, hostPort: 1 }] }] },
      { ...SHOP, containerDefinitions: [{ ...app, portMappings: [{ containerPort: 1 }] }] },
    ],
    [
      "sizes with units",
      { ...SHOP, cpu: "1 vCPU", memory: "2 GB" },
      { ...SHOP, cpu: "1024", memory: "2048" },
    ],
    [
      "numbers and texts",
      { ...SHOP, ephemeralStorage: { sizeInGiB: "30" } },
      { ...SHOP, ephemeralStorage: { sizeInGiB: 30 } },
    ],
    ["empty texts, which say nothing", { ...SHOP, taskRoleArn: "", newThing: "" }, SHOP],
    [
      "the case of a protocol",
      {
        ...SHOP,
        containerDefinitions: [{ ...app, portMappings: [{ containerPort: 1, protocol: "UDP" }] }, side],
      },
      {
        ...SHOP,
        containerDefinitions: [{ ...app, portMappings: [{ containerPort: 1, protocol: "udp" }] }, side],
      },
    ],
    [
      "the order of a set",
      { ...SHOP, requiresCompatibilities: ["EC2", "FARGATE"] },
      { ...SHOP, requiresCompatibilities: ["FARGATE", "EC2"] },
    ],
  ])("may differ in %s", (_name, sent, echo) => {
    expect(compareEcho(sent, echo)).toEqual({ lost: [], changed: [] });
  });

  test("with another value is told apart", () => {
    expect(compareEcho(SHOP, { ...SHOP, family: "store" })).toEqual({ lost: [], changed: ["$.family"] });
  });
});

describe("images", () => {
  test.each([
    ["shop:1.2", true],
    ["registry:5000/shop", false],
    ["registry:5000/shop:latest", false],
    ["registry:5000/shop:v1", true],
    ["shop", false],
    [`shop:latest@sha256:${"a".repeat(64)}`, true],
  ])("%s is pinned: %s", (image, expected) => {
    expect(isPinned(image)).toBe(expected);
    const warnings = imageWarnings({ containerDefinitions: [{ name: "app", image }] });
    expect(warnings).toHaveLength(expected ? 0 : 1);
  });

  test("a digest is read from the reference", () => {
    expect(digestIn(`a/b@sha256:${"0".repeat(64)}`)).toBe(`sha256:${"0".repeat(64)}`);
    expect(digestIn("a/b:1")).toBe("");
  });
});

test("the running definition's values are masked, its names are not", () => {
  const definition = {
    family: "shop-blue",
    containerDefinitions: [
      {
        name: "app",
        image: "repo/app:9f2c1",
        environment: [
          { name: "URL", value: "amqp://u:p@q" },
          { name: "TAG", value: "app:9f2c1" },
          { name: "STACK", value: "shop-blue" },
          { name: "ZONE", value: "eu-west-1" },
          { name: "CLUSTER", value: "prod-7-main" },
        ],
      },
    ],
  };
  expect(secretValues(definition, ["prod-7-main"])).toEqual(["amqp://u:p@q"]);
});
