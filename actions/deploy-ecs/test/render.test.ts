import { describe, expect, test } from "@jest/globals";
import { containersOf, type Definition, type Edits } from "../src/definition/model.ts";
import { render } from "../src/definition/render.ts";
import { assign, NOTHING, SHOP } from "./definitions.ts";

/** The rendered containers by name. */
function rendered(
  edits: Partial<Edits>,
  definition = SHOP,
  balanced: string[] = [],
): Record<string, Definition> {
  const result = render(definition, { ...NOTHING, ...edits }, balanced);
  if (result.kind === "refused") throw new Error(result.problems.join("; "));
  return Object.fromEntries(containersOf(result.definition).map((item) => [String(item["name"]), item]));
}

function refusal(edits: Partial<Edits>, definition = SHOP): string {
  const result = render(definition, { ...NOTHING, ...edits });
  return result.kind === "refused" ? result.problems.join("; ") : "";
}

describe("rendering", () => {
  test("image, variables, secrets and command of the default container", () => {
    const { app, side } = rendered({
      image: "shop:2",
      environment: assign("B=x=y", "C=new"),
      secrets: assign("T=/t"),
      command: ["a b"],
    });
    expect(app).toMatchObject({
      image: "shop:2",
      command: ["a b"],
      environment: [
        { name: "A", value: "canary-a" },
        { name: "B", value: "x=y" },
        { name: "C", value: "new" },
      ],
      secrets: [
        { name: "S", valueFrom: "/shop/s" },
        { name: "T", valueFrom: "/t" },
      ],
    });
    expect(side).toBe(containersOf(SHOP)[1]);
  });

  test("a variable moves to secrets and a secret to variables", () => {
    const { app } = rendered({ environment: assign("S=plain"), secrets: assign("A=/a") });
    expect(app?.["environment"]).toEqual([
      { name: "B", value: "canary-b" },
      { name: "S", value: "plain" },
    ]);
    expect(app?.["secrets"]).toEqual([{ name: "A", valueFrom: "/a" }]);
  });

  test("keys and images by container", () => {
    const { app, side } = rendered({
      environment: assign("side:A=1"),
      images: new Map([["side", "proxy:2"]]),
      remove: [{ container: "app", key: "S" }],
    });
    expect(side).toMatchObject({ image: "proxy:2", environment: [{ name: "A", value: "1" }] });
    expect(app).toMatchObject({ image: "shop:1", secrets: [] });
  });

  test("one image for several containers, as the peer does it", () => {
    const { app, side } = rendered({ image: "same:3", containers: ["app", "side"] });
    expect([app?.["image"], side?.["image"]]).toEqual(["same:3", "same:3"]);
  });

  test("removal of variables and secrets, and of what is not there", () => {
    const remove = ["A", "S", "NEVER"].map((key) => ({ container: "", key }));
    const { app } = rendered({ remove });
    expect(app).toMatchObject({ environment: [{ name: "B", value: "canary-b" }], secrets: [] });
  });

  test("`replace` empties the containers that get variables, and no others", () => {
    const { app, side } = rendered({
      mode: "replace",
      environment: assign("N=1"),
      images: new Map([["side", "p:2"]]),
    });
    expect(app).toMatchObject({ environment: [{ name: "N", value: "1" }], secrets: [] });
    expect(side).toMatchObject({ image: "p:2", environment: [{ name: "A", value: "canary-side" }] });
  });

  test("a patch by container, new containers and removed ones", () => {
    const { app, side, log } = rendered({
      patch: {
        containerDefinitions: { app: { cpu: 256, secrets: null }, side: null, log: { image: "log:1" } },
      },
      image: "shop:3",
      containers: ["app"],
    });
    expect(app).toMatchObject({ image: "shop:3", cpu: 256, futureMember: { deep: [{ x: 1 }] } });
    expect(app).not.toHaveProperty("secrets");
    expect(side).toBeUndefined();
    expect(log).toEqual({ name: "log", image: "log:1" });
  });

  test("a patch of the rest, and of the whole list of containers", () => {
    const result = render(SHOP, {
      ...NOTHING,
      patch: { cpu: "512", executionRoleArn: null, containerDefinitions: [{ name: "x", image: "x:1" }] },
    });
    const { executionRoleArn: _gone, ...rest } = SHOP;
    const definition = { ...rest, cpu: "512", containerDefinitions: [{ name: "x", image: "x:1" }] };
    expect(result).toEqual({ kind: "rendered", definition });
  });

  test.each<[string, Partial<Edits>, string]>([
    [
      "container-name",
      { containers: ["ap"] },
      "`container-name` is `ap`, which is not there: valid are `app`, `side`",
    ],
    [
      "images",
      { images: new Map([["ap", "x:1"]]) },
      "`images` names the container `ap`, which is not there: valid are `app`, `side`",
    ],
    [
      "a variable",
      { environment: assign("ap:A=canary") },
      "`environment-variables` names the container `ap`",
    ],
    ["a secret", { secrets: assign("ap:A=/x") }, "`secrets` names the container `ap`"],
    [
      "a removal",
      { remove: [{ container: "ap", key: "A" }] },
      "`remove-environment-variables` names the container `ap`",
    ],
    [
      "a patch",
      { patch: { containerDefinitions: { ap: { cpu: 1 } } } },
      "names the container `ap`, which is not there: valid are `app`, `side`",
    ],
    ["a removed container", { patch: { containerDefinitions: { ap: null } } }, "names the container `ap`"],
    ["a renamed container", { patch: { containerDefinitions: { app: { name: "b" } } } }, "another name"],
    ["no containers", { patch: { containerDefinitions: null } }, "removes `containerDefinitions`"],
    [
      "all containers",
      { patch: { containerDefinitions: { app: null, side: null } } },
      "removes every container",
    ],
    ["a key twice", { environment: assign("A=canary1", "app:A=canary2") }, "gives `A` twice"],
    [
      "a variable that is a secret",
      { environment: assign("A=canary"), secrets: assign("app:A=/x") },
      "`A` of the container `app`",
    ],
    [
      "a variable that goes",
      { environment: assign("A=canary"), remove: [{ container: "app", key: "A" }] },
      "`A` of the container `app`",
    ],
    ["two images", { image: "a:1", images: new Map([["app", "a:2"]]) }, "different images"],
  ])("%s that does not fit is refused", (_name, edits, text) => {
    expect(refusal(edits)).toContain(text);
    expect(refusal(edits)).not.toContain("canary");
  });

  test("every problem is told", () => {
    expect(refusal({ images: new Map([["a", "x:1"]]), secrets: assign("b:A=/x") }).split("; ")).toHaveLength(
      2,
    );
  });

  describe("the default container", () => {
    const both = {
      ...SHOP,
      containerDefinitions: [
        { name: "a", image: "a:1" },
        { name: "b", image: "b:1" },
      ],
    };
    test("is the one behind the load balancer where several are essential", () => {
      expect(rendered({ image: "n:2" }, both, ["b", "b"])["b"]).toMatchObject({ image: "n:2" });
    });
    test("is asked for where nothing tells it, and only where it is needed", () => {
      expect(refusal({ image: "n:2" }, both)).toContain("`container-name` is required");
      expect(refusal({ image: "n:2" }, both)).toContain("valid are `a`, `b`");
      expect(refusal({ images: new Map([["a", "n:2"]]) }, both)).toBe("");
    });
  });
});
