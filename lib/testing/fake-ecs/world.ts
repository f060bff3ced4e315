import { identityOperations } from "./around/identity.ts";
import { loadBalancerOperations } from "./around/load-balancer.ts";
import { Logs } from "./around/logs.ts";
import { publicRegistryOperations, registryOperations } from "./around/registry.ts";
import { Schedules } from "./around/schedules.ts";
import { type Behaviour, type BehaviourKey, Behaviours, type Role } from "./behaviour.ts";
import { type Course, keepUp } from "./codedeploy/course.ts";
import { codeDeployOperations } from "./codedeploy/operations.ts";
import { addGroup, codeDeployState, type GroupSetup } from "./codedeploy/set-up.ts";
import { showTaskSets } from "./codedeploy/show.ts";
import type { Group } from "./codedeploy/state.ts";
import { isActive } from "./ecs/rollouts.ts";
import { scale as scaleService } from "./ecs/services.ts";
import {
  defaultTiming,
  type FakeService,
  type Place,
  type StaleReads,
  type TaskDefinition,
  type Timing,
} from "./ecs/state.ts";
import { isHealthy } from "./ecs/tasks.ts";
import { type EcsWorld, ecsWorld } from "./ecs/world.ts";
import type { Fault, When } from "./faults.ts";
import { type CallOptions, Gate } from "./gate.ts";
import type { Policy } from "./policy.ts";
import { randomFrom } from "./random.ts";
import { resourcesOf } from "./resources.ts";
import { addService, deployImage, type ServiceSetup } from "./set-up.ts";
import { Timeline, type TimeOptions } from "./timeline.ts";
import type { AwsService, CallRecord, Json } from "./types.ts";

/** How a world is made. Without anything: time stands still, everything is checked against AWS's models. */
export interface WorldOptions extends TimeOptions {
  readonly place?: Partial<Place>;
  readonly timing?: Partial<Timing>;
  /** Seed of ids and of faults with a probability. */
  readonly seed?: number;
  /** Requests of these operations may hold members that AWS's model does not know, and keep them. */
  readonly allowUnknown?: readonly string[];
}

/**
 * AWS in one process: a world of its own with clusters, services and tasks, whose
 * time is virtual. Calls come in through `call` (fits lib/aws's `AwsCall`) or over
 * HTTP (`startFakeAws`); both end here.
 *
 * ```ts
 * const aws = new FakeAws({ clock });                    // or {} and aws.advance(ms)
 * aws.addService({ name: "app", image: "app:1" });       // runs, COMPLETED, 2 healthy tasks
 * aws.behave("app:2", { kind: "image-not-found" });      // what becomes of its tasks
 * aws.fail("throttle", { operation: "UpdateService", nth: 1 });
 * aws.before({ call: 7 }, () => aws.deploy("app", "app:9"));   // someone else
 * await aws.call("ecs", "DescribeServices", { services: ["app"] });
 * aws.calls; aws.violations;
 * ```
 */
export class FakeAws {
  readonly time: Timeline;
  /** Every call in the order of arrival. */
  readonly calls: CallRecord[];
  /** Requests and answers that AWS's published models forbid. A test ends with this list empty. */
  readonly violations: string[];
  readonly ecs: EcsWorld;
  readonly schedules: Schedules;
  /** Settings of target groups that differ from a new one's, by name (`{ HealthCheckPath: "/health" }`). */
  readonly targetGroups = new Map<string, Json>();
  private readonly course: Course;
  private readonly logs: Logs;
  private readonly gate: Gate;
  private readonly behaviours = new Behaviours();

  constructor(options: WorldOptions = {}) {
    this.time = new Timeline(options);
    this.logs = new Logs(() => this.time.now());
    this.ecs = ecsWorld({
      place: { partition: "aws", region: "eu-west-1", account: "123456789012", ...options.place },
      time: this.time,
      timing: { ...defaultTiming, ...options.timing },
      behaviours: this.behaviours,
      random: randomFrom((options.seed ?? 1) + 1),
      foreign: (service) => {
        if (service.controller === "CODE_DEPLOY") keepUp(this.course, service);
      },
      log: (task, lines, container) => this.logs.write(task, lines, container),
    });
    const { state } = this.ecs;
    this.course = { ecs: state, events: this.ecs.events, state: codeDeployState() };
    this.schedules = new Schedules(state.place, () => this.time.now());
    this.gate = new Gate({
      time: this.time,
      random: randomFrom(options.seed ?? 1),
      allowUnknown: options.allowUnknown ?? [],
      resourceOf: (service, operation, input) =>
        resourcesOf(
          state,
          service,
          operation,
          input,
          (id) => this.course.state.deployments.find((one) => one.id === id)?.group,
        ),
      operations: {
        ecs: this.ecs.operations,
        codedeploy: codeDeployOperations(this.course),
        logs: this.logs.operations,
        ecr: registryOperations(state),
        "ecr-public": publicRegistryOperations(state),
        elbv2: loadBalancerOperations(state, this.targetGroups),
        events: this.schedules.eventOperations,
        scheduler: this.schedules.schedulerOperations,
        sts: identityOperations(state.place),
      },
    });
    this.calls = this.gate.calls;
    this.violations = this.gate.violations;
  }

  /** One call. Rejects with AWS's error, a reset, or the signal's reason. */
  readonly call = (
    service: AwsService,
    operation: string,
    input: Readonly<Json>,
    options: CallOptions = {},
  ): Promise<Json> => this.gate.call(service, operation, input, options);

  /** Sets what becomes of tasks of an image (`app:2`, a pattern) or revision (`app:7`); later rules win. */
  behave(key: BehaviourKey, behaviour: Behaviour, role?: Role): void {
    this.behaviours.set(key, behaviour, role);
  }

  /** Puts a running service into the world; see `ServiceSetup` for the defaults. */
  addService(setup: ServiceSetup = {}): FakeService {
    return addService(this.ecs.state, this.ecs.events, setup);
  }

  /** A CodeDeploy deployment group for a service that was added with `controller: "CODE_DEPLOY"`. */
  addDeploymentGroup(service = "app", setup: GroupSetup = {}): Group {
    const { state } = this.course;
    const found = this.service(service);
    found.taskSets = () =>
      showTaskSets(
        found,
        state.deployments.find((one) => one.group.service === found),
      );
    return addGroup(state, found, setup);
  }

  /** A Lambda function of a CodeDeploy lifecycle hook answers Failed from here on. */
  failCodeDeployHook(lambda: string): void {
    this.course.state.failingHooks.add(lambda);
  }

  /** How the traffic of a service is shared between its deployments, by id; undefined when nothing is being shifted. */
  trafficOf(service: FakeService): ReadonlyMap<string, number> | undefined {
    const rollout = service.rollouts[0];
    const shift = rollout?.strategy !== "ROLLING" && rollout && isActive(rollout) ? rollout : undefined;
    if (shift && service.completed) {
      return new Map([
        [shift.deployment.id, shift.weight],
        [service.completed.id, 100 - shift.weight],
      ]);
    }
    const course = this.course.state.deployments.find((one) => one.group.service === service);
    if (!course) return undefined;
    return new Map([
      [course.replacement.id, course.weight],
      [course.original.id, 100 - course.weight],
    ]);
  }

  /** The service of this name; throws when there is none. */
  service(name = "app"): FakeService {
    const found = this.ecs.state.services.find((service) => service.name === name);
    if (!found) throw new Error(`the world has no service ${name}`);
    return found;
  }

  /** Whether every task that the service wants is healthy and no other is left. */
  isSteady(name = "app"): boolean {
    const service = this.service(name);
    const live = service.tasks.filter((task) => task.lastStatus !== "STOPPED");
    return live.length === service.desired && live.every(isHealthy);
  }

  /** A container of the task (id or ARN) writes lines; default: its first container that logs to CloudWatch. */
  log(task: string, lines: readonly string[], container?: string): void {
    const found = this.ecs.state.tasks.find((one) => one.id === task || one.arn === task);
    if (!found) throw new Error(`the world has no task ${task}`);
    this.logs.write(found, lines, container);
  }

  /** Someone else registers a revision with this image and updates the service to it. */
  deploy(name: string, image: string): TaskDefinition {
    return deployImage(this.ecs.state, this.service(name), image);
  }

  /** Someone else (or autoscaling) changes the service's count. */
  scale(name: string, desired: number): void {
    scaleService(this.service(name), desired);
    this.ecs.state.look(this.service(name));
  }

  /** An alarm begins to ring (or stops to). */
  ring(alarm: string, on = true): void {
    this.ecs.ring(alarm, on);
  }

  /** Breaks calls. */
  fail(fault: Fault, when: When = {}): void {
    this.gate.fail(fault, when);
  }

  /** No fault, no denial and no policy from here on. */
  heal(): void {
    this.gate.heal();
  }

  /** IAM denies these actions (`ecs:ListServiceDeployments`, `iam:PassRole`) from here on. */
  deny(...actions: string[]): void {
    this.gate.deny(actions);
  }

  /** IAM allows only what this policy allows from here on, resources and PassRole included. */
  enforce(policy: Policy): void {
    this.gate.policy = policy;
  }

  /** Runs `run` before the first call that fits. */
  before(when: When, run: () => void): void {
    this.gate.hook(when, false, run);
  }

  /** Runs `run` after the first call that fits took effect and before it is answered. */
  after(when: When, run: () => void): void {
    this.gate.hook(when, true, run);
  }

  /** Moves the world forward. */
  advance(ms: number): void {
    this.time.advance(ms);
  }

  /** DescribeServices lags behind every UpdateService from here on. */
  staleReads(stale: StaleReads | undefined): void {
    this.ecs.state.staleReads = stale;
  }

  /** Cuts what still hangs. */
  close(): void {
    this.gate.close();
  }
}
