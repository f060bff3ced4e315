import type { LoadEvidence } from "./evidence.ts";

/** One run of ship.yml: an image for the service on ECS, and what is promised of it. */
export interface Shipment {
  readonly key: string;
  readonly title: string;
  readonly story: string;
  readonly image: string;
  /** Outcome that deploy-ecs is to have. */
  readonly promised: string;
  /** Failure code that goes with it, "" for none. */
  readonly code: string;
  /** Version that is to serve afterwards. */
  readonly serves: string;
  /** The run is cancelled once the service was updated. */
  readonly cancelled: boolean;
  readonly loadSeconds: number;
}

/** In the order in which they are shipped; 1.0.0 runs before. */
export const SHIPMENTS: readonly Shipment[] = [
  {
    key: "ecs",
    title: "the same on ECS",
    story: "Image shop:2.0.0 for a service of two tasks behind a balancer",
    image: "shop:2.0.0",
    promised: "succeeded",
    code: "",
    serves: "2.0.0",
    cancelled: false,
    loadSeconds: 8,
  },
  {
    key: "ecs-image",
    title: "an image nobody pushed",
    story: "Image shop:9.9.9, which no registry has",
    image: "shop:9.9.9",
    promised: "rolled-back",
    code: "IMAGE_NOT_FOUND",
    serves: "2.0.0",
    cancelled: false,
    loadSeconds: 6,
  },
  {
    key: "ecs-crash",
    title: "ends at its start",
    story: "Image shop:2.1.0, whose containers end with exit code 3",
    image: "shop:2.1.0",
    promised: "rolled-back",
    code: "CONTAINER_EXITED",
    serves: "2.0.0",
    cancelled: false,
    loadSeconds: 8,
  },
  {
    key: "ecs-health",
    title: "healthy, never ready",
    story: "Image shop:2.2.0: the balancer finds it healthy, the URL that users ask answers 503",
    image: "shop:2.2.0",
    promised: "rolled-back",
    code: "HEALTH_CHECK_FAILED",
    serves: "2.0.0",
    cancelled: false,
    loadSeconds: 12,
  },
  {
    key: "ecs-cancel",
    title: "cancelled half-way",
    story:
      "Image shop:1.0.0 again, and the run is cancelled while its tasks start: act kills the step, so the post step goes back",
    image: "shop:1.0.0",
    promised: "cancelled",
    code: "",
    serves: "2.0.0",
    cancelled: true,
    loadSeconds: 8,
  },
];

/** What is known of a shipment when it has ended. */
export interface ShipmentEvidence {
  readonly outcome: string;
  readonly code: string;
  readonly reason: string;
  readonly exitCode: number | null;
  /** Version that answers behind the balancer; "" for none. */
  readonly serving: string;
  /** Image of the PRIMARY deployment, and its rolloutState, as ECS shows them. */
  readonly primary: string;
  readonly state: string;
  /** Requests that AWS's published models forbid. */
  readonly violations: readonly string[];
  readonly load: LoadEvidence | undefined;
}

/** Holds a shipment against its promise; ECS and the balancer are asked, not only the action. */
export function judgeShipment(shipment: Shipment, evidence: ShipmentEvidence): string[] {
  const broken: string[] = [];
  const expect = (holds: boolean, otherwise: string) => {
    if (!holds) broken.push(otherwise);
  };
  const { promised, code, serves } = shipment;
  const { outcome, load } = evidence;
  expect(outcome === promised, `promised ${promised}, ended ${outcome || "without an outcome"}`);
  expect(evidence.code === code, `promised ${code || "no failure"}, said ${evidence.code || "nothing"}`);
  expect((evidence.exitCode === 0) === (promised === "succeeded"), "the workflow's colour is wrong");
  expect(
    evidence.serving === serves,
    `version ${serves} should serve, ${evidence.serving || "nothing"} does`,
  );
  expect(evidence.primary === `shop:${serves}`, `ECS runs ${evidence.primary}`);
  expect(evidence.state === "COMPLETED", `its deployment is ${evidence.state}`);
  expect(evidence.violations.length === 0, `AWS would not understand: ${evidence.violations.join("; ")}`);
  expect((load?.requests ?? 0) > 0, "no request was measured");
  expect((load?.requests ?? 0) > (load?.failed ?? 0), "every request failed");
  return broken;
}
