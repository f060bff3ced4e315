import type { Place } from "../ecs/state.ts";
import { copy, defined, FakeAwsError, type Json, type Operation, seconds } from "../types.ts";

/** EventBridge's rules with their targets, and the schedules of EventBridge Scheduler. */
export class Schedules {
  private readonly rules = new Map<string, { readonly rule: Json; targets: Json[] }>();
  private readonly schedules = new Map<string, Json>();
  private readonly place: Place;
  private readonly now: () => number;

  constructor(place: Place, now: () => number) {
    this.place = place;
    this.now = now;
  }

  /** A rule of the default bus (or of `bus`) with these targets. */
  addRule(name: string, targets: readonly Json[], bus = "default"): void {
    const { partition, region, account } = this.place;
    const rule = {
      Name: name,
      Arn: `arn:${partition}:events:${region}:${account}:rule/${bus === "default" ? "" : `${bus}/`}${name}`,
      ScheduleExpression: "rate(1 hour)",
      State: "ENABLED",
      EventBusName: bus,
    };
    this.rules.set(`${bus}/${name}`, { rule, targets: copy([...targets]) });
  }

  /** A schedule; members as GetSchedule shows them. */
  addSchedule(name: string, members: Json): void {
    const { partition, region, account } = this.place;
    const group = String(members["GroupName"] ?? "default");
    this.schedules.set(`${group}/${name}`, {
      Arn: `arn:${partition}:scheduler:${region}:${account}:schedule/${group}/${name}`,
      Name: name,
      GroupName: group,
      CreationDate: seconds(this.now()),
      LastModificationDate: seconds(this.now()),
      ...preset(members),
    });
  }

  /** The targets of a rule as they are now. */
  targetsOf(name: string, bus = "default"): readonly Json[] {
    return copy(this.rule({ Rule: name, EventBusName: bus }).targets);
  }

  /** A schedule as it is now. */
  schedule(name: string, group = "default"): Json {
    return copy(this.find(name, group));
  }

  readonly eventOperations: Readonly<Record<string, Operation>> = {
    DescribeRule: (input) => copy(this.rule({ ...input, Rule: input["Name"] }).rule),
    ListTargetsByRule: (input) => {
      const { targets } = this.rule(input);
      const from = Number(input["NextToken"] ?? 0);
      const next = from + Number(input["Limit"] ?? 100);
      const shown = copy(targets.slice(from, next));
      return defined({
        Targets: shown.length > 0 ? shown : undefined,
        NextToken: next < targets.length ? String(next) : undefined,
      });
    },
    PutTargets: (input) => {
      const found = this.rule(input);
      const sent = copy(input["Targets"] as Json[]);
      if (sent.length > 10)
        throw new FakeAwsError("LimitExceededException", "At most 10 targets in one call.");
      // A target that is there already is replaced as a whole.
      found.targets = found.targets.map((old) => sent.find((one) => one["Id"] === old["Id"]) ?? old);
      const fresh = sent.filter((one) => !found.targets.some((old) => old["Id"] === one["Id"]));
      if (found.targets.length + fresh.length > 5) {
        throw new FakeAwsError(
          "LimitExceededException",
          "The requested resource exceeds the maximum number allowed.",
        );
      }
      found.targets = [...found.targets, ...fresh];
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
  };

  readonly schedulerOperations: Readonly<Record<string, Operation>> = {
    GetSchedule: (input) => copy(this.find(String(input["Name"]), String(input["GroupName"] ?? "default"))),
    UpdateSchedule: (input) => {
      const name = String(input["Name"]);
      const group = String(input["GroupName"] ?? "default");
      const old = this.find(name, group);
      const { ClientToken, ...sent } = copy(input);
      void ClientToken;
      const { Arn, CreationDate } = old;
      const LastModificationDate = seconds(this.now());
      // Everything that is not sent goes back to AWS's default: by design, says the model.
      this.schedules.set(`${group}/${name}`, {
        ...preset(sent),
        Arn,
        CreationDate,
        LastModificationDate,
        GroupName: group,
      });
      return { ScheduleArn: String(Arn) };
    },
  };

  private rule(input: Json): { readonly rule: Json; targets: Json[] } {
    const [name, bus] = [String(input["Rule"]), String(input["EventBusName"] ?? "default")];
    const found = this.rules.get(`${bus.split("/").at(-1)}/${name}`);
    if (!found)
      throw new FakeAwsError("ResourceNotFoundException", `Rule ${name} does not exist on EventBus ${bus}.`);
    return found;
  }

  private find(name: string, group: string): Json {
    const found = this.schedules.get(`${group}/${name}`);
    if (!found) throw new FakeAwsError("ResourceNotFoundException", `Schedule ${name} does not exist.`, 404);
    return found;
  }
}

function preset(sent: Json): Json {
  return {
    State: "ENABLED",
    ScheduleExpression: "rate(1 hour)",
    ScheduleExpressionTimezone: "UTC",
    ActionAfterCompletion: "NONE",
    FlexibleTimeWindow: { Mode: "OFF" },
    ...sent,
  };
}
