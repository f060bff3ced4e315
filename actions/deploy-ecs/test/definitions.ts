import fc from "fast-check";
import type { Assignment, Definition, Edits, JsonObject, Revision } from "../src/definition/model.ts";

/** Edits that change nothing. */
export const NOTHING: Edits = {
  containers: [],
  image: "",
  images: new Map(),
  environment: [],
  secrets: [],
  remove: [],
  mode: "merge",
  command: undefined,
  patch: undefined,
};

/** `KEY=value` or `container:KEY=value`. */
export function assign(...pairs: readonly string[]): readonly Assignment[] {
  return pairs.map((pair) => {
    const [, container = "", key = "", value = ""] = /^(?:(\w+):)?(\w+)=(.*)$/s.exec(pair) ?? [];
    return { container, key, value };
  });
}

/** Two containers, of which `app` is the essential one. */
export const SHOP: Definition = {
  family: "shop",
  networkMode: "awsvpc",
  cpu: "256",
  memory: "512",
  executionRoleArn: "arn:aws:iam::123456789012:role/exec",
  containerDefinitions: [
    {
      name: "app",
      image: "shop:1",
      portMappings: [{ containerPort: 8000 }],
      environment: [
        { name: "A", value: "canary-a" },
        { name: "B", value: "canary-b" },
      ],
      secrets: [{ name: "S", valueFrom: "/shop/s" }],
      futureMember: { deep: [{ x: 1 }] },
    },
    { name: "side", image: "proxy:1", essential: false, environment: [{ name: "A", value: "canary-side" }] },
  ],
  futureMember: "kept",
};

/** A revision as a service runs it. */
export function revision(definition: Definition, number = 7): Revision {
  return {
    arn: `arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:${number}`,
    family: "shop",
    revision: number,
    active: true,
    registeredBy: "",
    definition,
  };
}

/** Modes in which the host has the same ports as the container. */
const SHARED = ["awsvpc", "host"];

/** As DescribeTaskDefinition answers: with what ECS fills in and sets by itself. */
export function described(definition: Definition): { taskDefinition: JsonObject; tags: unknown } {
  const containers = definition["containerDefinitions"] as readonly JsonObject[];
  const { tags = [], ...rest } = definition;
  return {
    tags,
    taskDefinition: {
      ...rest,
      taskDefinitionArn: "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:7",
      revision: 7,
      status: "ACTIVE",
      requiresAttributes: [{ name: "com.amazonaws.ecs.capability.docker-remote-api.1.18" }],
      compatibilities: ["EC2", "FARGATE"],
      registeredAt: 1_700_000_000.5,
      registeredBy: "arn:aws:sts::123456789012:assumed-role/ci/x",
      placementConstraints: [],
      volumes: [],
      containerDefinitions: containers.map((container) => ({
        cpu: 0,
        essential: true,
        environment: [],
        mountPoints: [],
        volumesFrom: [],
        systemControls: [],
        ...container,
        portMappings: ((container["portMappings"] ?? []) as JsonObject[]).map((port) => ({
          hostPort: SHARED.includes(String(definition["networkMode"])) ? port["containerPort"] : 0,
          protocol: "tcp",
          ...port,
        })),
      })),
    },
  };
}

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const key = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,6}$/);
/** Values that no other text of a definition contains. */
const canary = fc.integer({ min: 0, max: 1e9 }).map((number) => `canary<${number}>`);

/** Members that goci has never heard of; what says nothing (`null`, empty) is left out. */
export const strange = fc.dictionary(
  fc.stringMatching(/^strange[A-Z][a-z]{0,4}$/),
  fc.oneof(
    fc.integer(),
    fc.boolean(),
    fc.string({ minLength: 1 }),
    fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }),
    fc.dictionary(name, fc.integer(), { minKeys: 1, maxKeys: 3 }),
  ),
  { maxKeys: 3 },
);

const environment = fc.uniqueArray(fc.record({ name: key, value: canary }), {
  selector: (item) => item.name,
  maxLength: 4,
});

const container = fc
  .tuple(
    fc.record(
      {
        name,
        image: fc.constantFrom("a:1", "b:2", "c@sha256:0"),
        cpu: fc.nat(1024),
        essential: fc.boolean(),
        environment,
        command: fc.array(canary, { maxLength: 2 }),
        secrets: fc.uniqueArray(fc.record({ name: key.map((text) => `S_${text}`), valueFrom: canary }), {
          selector: (item) => item.name,
          maxLength: 3,
        }),
        portMappings: fc.uniqueArray(fc.record({ containerPort: fc.nat(65_535) }), {
          selector: (item) => item.containerPort,
          maxLength: 2,
        }),
        dockerLabels: fc.dictionary(name, canary, { maxKeys: 2 }),
      },
      { requiredKeys: ["name", "image"] },
    ),
    strange,
  )
  .map(([known, unknown]) => ({ ...unknown, ...known }));

/** Any task definition. */
export const definition: fc.Arbitrary<Definition> = fc
  .tuple(
    fc.record(
      {
        family: name,
        cpu: fc.constantFrom("256", "512"),
        networkMode: fc.constantFrom("awsvpc", "bridge", "host"),
        containerDefinitions: fc.uniqueArray(container, {
          selector: (item) => item.name,
          minLength: 1,
          maxLength: 3,
        }),
        tags: fc.uniqueArray(fc.record({ key: name, value: canary }), {
          selector: (item) => item.key,
          maxLength: 2,
        }),
      },
      { requiredKeys: ["family", "containerDefinitions"] },
    ),
    strange,
  )
  .map(([known, unknown]) => ({ ...unknown, ...known }));
