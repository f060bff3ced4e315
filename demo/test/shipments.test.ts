import { describe, expect, test } from "@jest/globals";
import { judgeShipment, SHIPMENTS, type Shipment, type ShipmentEvidence } from "../shipments.ts";

function shipment(key: string): Shipment {
  const found = SHIPMENTS.find((item) => item.key === key);
  if (!found) throw new Error(`no shipment ${key}`);
  return found;
}

const RUN = { exitCode: 0, ms: 0, outputs: new Map(), jobs: new Map(), summaries: [], errors: [], tail: [] };
const load = (requests: number, failed: number) =>
  ({ verdict: "pass", requests, failed, p95: 3, startedAt: 0, seconds: [], result: RUN }) as never;

/** A shipment that went back as promised. */
const KEPT: ShipmentEvidence = {
  outcome: "rolled-back",
  code: "CONTAINER_EXITED",
  reason: "container app exited with code 3",
  exitCode: 1,
  serving: "2.0.0",
  primary: "shop:2.0.0",
  state: "COMPLETED",
  violations: [],
  load: load(100, 0),
};

describe("a shipment is held against its promise", () => {
  test.each<[string, string, Partial<ShipmentEvidence>, number]>([
    ["gone back", "ecs-crash", {}, 0],
    ["another outcome", "ecs-crash", { outcome: "failed" }, 1],
    ["another cause", "ecs-crash", { code: "TIMED_OUT" }, 1],
    ["a green workflow", "ecs-crash", { exitCode: 0 }, 1],
    ["the broken version serves", "ecs-crash", { serving: "2.1.0", primary: "shop:2.1.0" }, 2],
    ["still moving", "ecs-crash", { state: "IN_PROGRESS" }, 1],
    ["a request that AWS refuses", "ecs-crash", { violations: ["UpdateService: unknown member"] }, 1],
    ["load that measured nothing", "ecs-crash", { load: load(0, 0) }, 2],
    ["load that only failed", "ecs-crash", { load: load(9, 9) }, 1],
    ["a good one", "ecs", { outcome: "succeeded", code: "", exitCode: 0 }, 0],
    ["a good one in red", "ecs", { outcome: "succeeded", code: "" }, 1],
    ["a cancelled one", "ecs-cancel", { outcome: "cancelled", code: "" }, 0],
    ["a cancelled one of which nobody said anything", "ecs-cancel", { outcome: "", code: "" }, 1],
  ])("%s", (_name, key, change, problems) => {
    expect(judgeShipment(shipment(key), { ...KEPT, ...change })).toHaveLength(problems);
  });
});
