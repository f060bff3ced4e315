import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { canonical, canonicalText, digestOf } from "../src/definition/canonical.ts";
import { differences } from "../src/definition/diff.ts";
import { revisionOf } from "../src/definition/load.ts";
import { compareEcho } from "../src/definition/lost.ts";
import { containersOf, type Definition, type JsonObject } from "../src/definition/model.ts";
import { mergePatch } from "../src/definition/patch.ts";
import { planDefinition } from "../src/definition/plan.ts";
import { render } from "../src/definition/render.ts";
import { definition, described, NOTHING, revision, strange } from "./definitions.ts";

const object = fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
const firstName = (it: Definition) => String(containersOf(it)[0]?.["name"]);

describe("for every task definition", () => {
  test("rendering with empty inputs is the identity", () => {
    fc.assert(
      fc.property(definition, (it) => {
        expect(render(it, NOTHING)).toEqual({ kind: "rendered", definition: it });
      }),
    );
  });

  test("the one that runs is used as it is, whatever ECS has filled in", () => {
    fc.assert(
      fc.property(definition, (it) => {
        const running = revisionOf(described(it));
        const file = { kind: "file", path: "td.json", definition: it } as const;
        for (const source of [{ kind: "running" } as const, file]) {
          const plan = planDefinition({
            source,
            edits: NOTHING,
            described: undefined,
            running,
            balanced: [],
          });
          expect(plan).toMatchObject({
            kind: "use",
            arn: running.arn,
            differences: [],
            digest: digestOf(it),
          });
        }
      }),
    );
  });

  test("nothing is lost in an echo that fills in and turns around, and what is missing is named", () => {
    fc.assert(
      fc.property(definition, strange, (it, extra) => {
        const echo = revisionOf(described(it)).definition;
        const turned = { ...echo, containerDefinitions: [...containersOf(echo)].reverse() };
        expect(compareEcho(it, turned)).toEqual({ lost: [], changed: [] });
        const [first = {}, ...others] = containersOf(it);
        const sent = { ...it, containerDefinitions: [{ ...first, unheard: extra }, ...others] };
        const lost = Object.keys(extra).length === 0 ? [] : ["$.containerDefinitions[0].unheard"];
        expect(compareEcho(sent, turned).lost).toEqual(lost);
      }),
    );
  });

  test("members that nobody knows survive every edit", () => {
    fc.assert(
      fc.property(definition, strange, strange, (it, top, inner) => {
        const [first = {}, ...others] = containersOf(it);
        const full = { ...it, ...top, containerDefinitions: [{ ...first, ...inner }, ...others] };
        const name = firstName(it);
        const rendered = render(full, {
          ...NOTHING,
          containers: [name],
          image: "new:2",
          environment: [{ container: "", key: "NEW", value: "v" }],
          command: ["run"],
          patch: { memory: "1024", containerDefinitions: { [name]: { stopTimeout: 5 } } },
        });
        if (rendered.kind === "refused") throw new Error(rendered.problems.join());
        expect(rendered.definition).toMatchObject(top);
        expect(containersOf(rendered.definition)[0]).toMatchObject({
          ...inner,
          image: "new:2",
          stopTimeout: 5,
        });
      }),
    );
  });

  test("a key stands once, in the list that it was given for, and all others stay", () => {
    const key = fc.constantFrom("A", "B", "S_A", "S_B");
    fc.assert(
      fc.property(definition, key, fc.boolean(), (it, name, isSecret) => {
        const assignment = [{ container: firstName(it), key: name, value: "given" }];
        const edits = isSecret ? { secrets: assignment } : { environment: assignment };
        const rendered = render(it, { ...NOTHING, ...edits });
        if (rendered.kind === "refused") throw new Error(rendered.problems.join());
        const [before, after] = [containersOf(it)[0], containersOf(rendered.definition)[0]];
        const [target, other] = isSecret ? ["secrets", "environment"] : ["environment", "secrets"];
        const list = (from: JsonObject | undefined, of: string) => (from?.[of] ?? []) as { name: string }[];
        expect(list(after, target).filter((item) => item.name === name)).toHaveLength(1);
        const without = (from: JsonObject | undefined, of: string) =>
          list(from, of).filter((item) => item.name !== name);
        expect(list(after, other)).toEqual(without(before, other));
        expect(without(after, target)).toEqual(without(before, target));
        expect(containersOf(rendered.definition).slice(1)).toEqual(containersOf(it).slice(1));
      }),
    );
  });

  test("the canonical form is its own, and forgets the order of what has names", () => {
    fc.assert(
      fc.property(definition, (it) => {
        expect(canonical(canonical(it))).toEqual(canonical(it));
        const turned = Object.fromEntries(
          Object.entries({
            ...it,
            containerDefinitions: [...containersOf(it)].reverse().map((container) => ({
              ...container,
              ...(container["environment"] === undefined
                ? {}
                : { environment: [...(container["environment"] as unknown[])].reverse() }),
            })),
          }).reverse(),
        );
        expect(canonicalText(turned)).toBe(canonicalText(it));
      }),
    );
  });

  test("there are differences exactly where the canonical forms differ, and no value is in them", () => {
    fc.assert(
      fc.property(definition, definition, fc.boolean(), (before, other, isSameFamily) => {
        const after = isSameFamily
          ? { ...other, family: before["family"], tags: before["tags"] ?? [] }
          : other;
        const found = differences(before, after);
        expect(found.length === 0).toBe(canonicalText(before) === canonicalText(after));
        expect(JSON.stringify(found)).not.toContain("canary<");
      }),
    );
  });

  test("what differs is applied by the edit that says it", () => {
    fc.assert(
      fc.property(definition, (it) => {
        const rendered = render(it, { ...NOTHING, images: new Map([[firstName(it), "other:9"]]) });
        if (rendered.kind === "refused") throw new Error(rendered.problems.join());
        const found = differences(it, rendered.definition).map((difference) => difference.path);
        expect(found).toEqual([`containerDefinitions.${firstName(it)}.image`]);
      }),
    );
  });

  test("another revision is registered when anything of it differs", () => {
    fc.assert(
      fc.property(definition, definition, (running, wanted) => {
        const plan = planDefinition({
          source: { kind: "file", path: "td.json", definition: wanted },
          edits: NOTHING,
          described: undefined,
          running: revision(running),
          balanced: [],
        });
        expect(plan.kind).toBe(canonicalText(running) === canonicalText(wanted) ? "use" : "register");
      }),
    );
  });
});

describe("merge patch (RFC 7396)", () => {
  test("an empty patch changes nothing, and a patch twice is a patch once", () => {
    fc.assert(
      fc.property(object, object, (target, patch) => {
        expect(mergePatch(target, {})).toEqual(target);
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  test("what it names is as it says, what it does not name stays", () => {
    fc.assert(
      fc.property(object, object, (target, patch) => {
        const result = mergePatch(target, patch) as JsonObject;
        for (const name of Object.keys(target)) {
          if (!Object.hasOwn(patch, name)) expect(result[name]).toEqual(target[name]);
        }
        for (const [name, value] of Object.entries(patch)) {
          if (value === null) expect(Object.hasOwn(result, name)).toBe(false);
          else if (typeof value !== "object" || Array.isArray(value)) expect(result[name]).toEqual(value);
        }
      }),
    );
  });

  // The table of RFC 7396, appendix A.
  test.each<[unknown, unknown, unknown]>([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("%j and %j", (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });
});
