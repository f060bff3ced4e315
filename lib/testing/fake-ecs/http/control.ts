import type { Behaviour, Role } from "../behaviour.ts";
import type { Fault, When } from "../faults.ts";
import type { ServiceSetup } from "../set-up.ts";
import type { FakeAws } from "../world.ts";

/** Answers what comes in below `/_fake/`: a value to be sent as JSON. Throws when nobody knows the order. */
export type Control = (order: string, body: string) => unknown;

/**
 * The door for whoever plays the world from outside its process:
 * `GET /_fake/calls` (without bodies), `/_fake/violations`, `/_fake/services`, and
 * `POST /_fake/<order>` with a JSON list of arguments, as `FakeAws` has them:
 * behave, fail, heal, deny, deploy, ring, advance, speed, service.
 */
export function controlDoor(world: FakeAws): Control {
  const orders: Readonly<Record<string, (...args: never[]) => unknown>> = {
    calls: () =>
      world.calls.map(({ nth, at, realAt, service, operation, error }) => ({
        nth,
        at,
        realAt,
        service,
        operation,
        error,
      })),
    violations: () => world.violations,
    services: () =>
      world.ecs.state.services.map((service) => ({
        name: service.name,
        healthy: world.isSteady(service.name),
      })),
    behave: (image: string, behaviour: Behaviour, role?: Role) => world.behave(image, behaviour, role),
    fail: (fault: Fault, when?: When) => world.fail(fault, when),
    heal: () => world.heal(),
    deny: (...actions: string[]) => world.deny(...actions),
    deploy: (name: string, image: string) => world.deploy(name, image).arn,
    ring: (alarm: string, on?: boolean) => world.ring(alarm, on),
    advance: (ms: number) => world.advance(ms),
    speed: (speed: number) => world.time.setSpeed(speed),
    service: (setup: ServiceSetup) => world.addService(setup).arn,
  };
  return (order, body) => {
    const run = orders[order];
    if (!run) throw new Error(`no order ${order}; there are ${Object.keys(orders).join(", ")}`);
    world.time.catchUp();
    return run(...((body === "" ? [] : JSON.parse(body)) as never[])) ?? null;
  };
}
