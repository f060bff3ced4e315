import { describe, expect, test } from "@jest/globals";
import type { FakeAws } from "../../../lib/testing/fake-ecs/world.ts";
import { type Story, type Told, tell, truth } from "./story.ts";
import { FAULTS, WITH } from "./timelines.ts";

/** Runs whose every call is broken, interrupted, or met by somebody else's deployment. */
const BASES: readonly (Story & { readonly name: string })[] = [
  { name: "a version that is good", arrange: (aws) => void aws.addService({ targetGroup: "web" }) },
  {
    name: "a version that fails",
    arrange: (aws) => {
      aws.addService();
      aws.behave("app:2", { kind: "image-not-found" });
    },
  },
  {
    name: "a version that fails in blue/green",
    arrange: (aws) => {
      aws.addService({ targetGroup: "web", deploymentConfiguration: WITH.blueGreen });
      aws.behave("app:2", { kind: "exits", code: 1 });
    },
  },
];

/** What the world says of a verdict; "" when it agrees. */
function lieOf(told: Told): string {
  const now = truth(told.aws);
  const changed = told.outputs["changed"] === "true";
  switch (told.outcome) {
    case "succeeded":
      return now === "app:2 COMPLETED" ? "" : `green, but the world runs ${now}`;
    case "post: proven":
      return now === "app:1 COMPLETED" || now === "app:2 COMPLETED"
        ? ""
        : `proven, but the world runs ${now}`;
    case "cancelled":
      if (told.outputs["rolled-back"] === "true" || !changed) return isOld(now);
      return `cancelled and left, the world runs ${now}`;
    case "rolled-back":
      return isOld(now);
    case "failed":
      return changed ? `failed and left, the world runs ${now}` : isOld(now);
    default:
      return `${told.outcome}: ${told.message}`;
  }
}

function isOld(now: string): string {
  return now === "app:1 COMPLETED" ? "" : `the old version is told to run, but the world runs ${now}`;
}

function explain(told: Told, lie: string): string {
  return `${lie}\n${told.code} ${told.message}\n${told.log.join("\n")}\n${told.calls.join(" ")}`;
}

/** The calls of an undisturbed run. */
async function callsOf(base: Story): Promise<readonly string[]> {
  const told = await tell(base);
  expect(told.outcome).toMatch(/^(succeeded|rolled-back)$/);
  expect(told.calls.length).toBeGreaterThan(12);
  return told.calls;
}

/** Adds to what a story arranges. */
function also(base: Story, more: (aws: FakeAws) => void): Story {
  return {
    ...base,
    arrange: (aws, time) => {
      base.arrange?.(aws, time);
      more(aws);
    },
  };
}

describe.each(BASES)("$name", (base) => {
  test.each(FAULTS)("every call in turn: %s", async (fault) => {
    const calls = await callsOf(base);
    for (let call = 1; call <= calls.length; call++) {
      const told = await tell(also(base, (aws) => aws.fail(fault, { call })));
      const operation = told.aws.calls[call - 1]?.operation;
      // On the way back nobody is left to ask once more after a refusal: that is said, not hidden.
      const refused = (fault === "denied" || fault === "expired-token") && told.outcome === "rollback-failed";
      const lie = refused && told.log.includes("# roll back") ? "" : lieOf(told);
      if (lie !== "") throw new Error(explain(told, `call ${call} (${operation}) ${String(fault)}: ${lie}`));
      expect(told.aws.violations).toEqual([]);
    }
  });

  test("somebody else deploys before every call: theirs is never overwritten, never claimed", async () => {
    const calls = await callsOf(base);
    for (let call = 1; call <= calls.length; call++) {
      const told = await tell(
        also(base, (aws) => aws.before({ call }, () => void aws.deploy("app", "app:9"))),
      );
      const lie = overwritten(told);
      if (lie !== "") throw new Error(explain(told, `before call ${call}: ${lie}`));
    }
  });

  test("somebody else deploys after every call", async () => {
    const calls = await callsOf(base);
    for (let call = 1; call <= calls.length; call++) {
      const told = await tell(
        also(base, (aws) => aws.after({ call }, () => void aws.deploy("app", "app:9"))),
      );
      // After the last look of all nobody can know.
      const lie = call < told.calls.length ? overwritten(told) : "";
      if (lie !== "") throw new Error(explain(told, `after call ${call}: ${lie}`));
    }
  });

  test("cancelled after every call", async () => {
    const calls = await callsOf(base);
    for (let call = 1; call <= calls.length; call++) {
      const told = await tell({ ...base, cancelAfter: (aws) => aws.calls.length >= call });
      const lie = lieOf(told);
      if (lie !== "") throw new Error(explain(told, `cancelled after call ${call}: ${lie}`));
    }
  });

  test("killed before every call, then the post step", async () => {
    const calls = await callsOf(base);
    for (let call = 1; call <= calls.length; call++) {
      const told = await tell({ ...base, killBefore: call });
      const lie = lieOf(told);
      if (lie !== "") throw new Error(explain(told, `killed before call ${call}: ${lie}`));
    }
  });
});

/** Theirs is what the service is on, or had its time before ours began. */
function overwritten(told: Told): string {
  const service = told.aws.service();
  const theirs = service.rollouts.filter(({ target }) => imageOf(target.definition.body) === "app:9");
  if (theirs.length === 0) return "";
  const now = truth(told.aws);
  if (now.startsWith("app:9")) return told.outcome === "succeeded" ? "theirs is claimed" : "";
  const had = theirs.some(({ status }) => status === "SUCCESSFUL");
  if (!had) return `theirs was overwritten, the world runs ${now}`;
  return lieOf(told) === "" || now === "app:2 COMPLETED" ? "" : lieOf(told);
}

function imageOf(body: Readonly<Record<string, unknown>>): string {
  return (body["containerDefinitions"] as { image: string }[])[0]?.image ?? "";
}
