import { expect, test } from "@jest/globals";
import type { FakeTask } from "../ecs/state.ts";
import { choose, type Target } from "../processes/balancer.ts";

/** A target of a deployment in some state; the port tells it apart. */
function target(port: number, state: string, deployment = "old"): Target {
  return { port, task: { target: { state }, deployment: { id: deployment } } as unknown as FakeTask };
}

/** How often each port is chosen in 200 requests. */
function shares(
  targets: readonly Target[],
  weights?: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let turn = 0; turn < 200; turn += 1) {
    const port = String(choose({ targets, ...(weights ? { weights } : {}) }, turn)?.port);
    counts[port] = (counts[port] ?? 0) + 1;
  }
  return counts;
}

test.each([
  ["healthy ones take turns", [target(1, "healthy"), target(2, "healthy")], { 1: 100, 2: 100 }],
  ["a new one waits for its first pass", [target(1, "healthy"), target(2, "initial")], { 1: 200 }],
  ["an unhealthy one gets nothing", [target(1, "healthy"), target(2, "unhealthy")], { 1: 200 }],
  ["with none healthy it fails open", [target(1, "unhealthy"), target(2, "initial")], { 1: 200 }],
  ["with none there is nobody", [], { undefined: 200 }],
])("%s", (_, targets, expected) => {
  expect(shares(targets)).toEqual(expected);
});

test("the weights share the traffic between deployments, as long as both have healthy targets", () => {
  const targets = [target(1, "healthy"), target(2, "healthy"), target(3, "healthy", "new")];
  const weights = new Map([
    ["new", 10],
    ["old", 90],
  ]);
  expect(shares(targets, weights)).toEqual({ 1: 90, 2: 90, 3: 20 });
  expect(shares(targets.slice(0, 2), weights)).toEqual({ 1: 100, 2: 100 });
});
