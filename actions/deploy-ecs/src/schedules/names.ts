/** One entry of the `schedules` input, taken apart. */
export interface ScheduleName {
  /** `either`: a bare name may be of a rule, of a schedule, or of one each. */
  readonly kind: "rule" | "schedule" | "either";
  readonly name: string;
  /** The rule's event bus or the schedule's group; "" for `default`. */
  readonly group: string;
}

/**
 * Takes a name apart: `name`, `bus/rule`, `group/schedule`, or the ARN of a rule
 * (`...:rule/name`, `...:rule/bus/name`) or a schedule (`...:schedule/group/name`).
 */
export function parseScheduleName(text: string): ScheduleName {
  const arn = /^arn:[\w-]+:(?<service>events|scheduler):[^:]*:[^:]*:(?:rule|schedule)\/(?<path>.+)$/.exec(
    text,
  )?.groups;
  const kind = arn === undefined ? "either" : arn["service"] === "events" ? "rule" : "schedule";
  const path = arn?.["path"] ?? text;
  const slash = path.indexOf("/");
  const group = slash < 0 ? "" : path.slice(0, slash);
  return { kind, name: path.slice(slash + 1), group: group === "default" ? "" : group };
}
