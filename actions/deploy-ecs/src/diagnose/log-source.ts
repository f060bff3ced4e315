import { list, object } from "../../../../lib/aws/answers.ts";
import type { JsonObject } from "../../../../lib/aws/call.ts";

/** Where a container's output goes. */
export type LogSource =
  | { readonly kind: "awslogs"; readonly group: string; readonly region: string; readonly stream: string }
  /** `why` says, for people, why no line can be shown. */
  | { readonly kind: "unreadable"; readonly why: string };

/**
 * The log stream of a container of a task. Streams are `PREFIX/CONTAINER/TASK-ID`; without a prefix (on EC2)
 * the name is the container's Docker id, which nobody tells:
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
 */
export function logSourceOf(definition: JsonObject, container: string, taskArn: string): LogSource {
  const containers = list<JsonObject>(definition["containerDefinitions"]);
  const found = containers.find((one) => one["name"] === container);
  if (found === undefined) return unreadable(`there is no container ${container} in the task definition`);
  const { logDriver, options } = object<{ logDriver?: unknown; options?: unknown }>(
    found["logConfiguration"],
  );
  if (typeof logDriver !== "string") return unreadable(`container ${container} has no log driver`);
  if (logDriver !== "awslogs") {
    return unreadable(
      `container ${container} logs through ${logDriver}: its lines are where that sends them`,
    );
  }
  const settings = object<Record<string, unknown>>(options);
  const text = (name: string) => (typeof settings[name] === "string" ? settings[name] : "");
  const group = text("awslogs-group");
  const prefix = text("awslogs-stream-prefix");
  if (group === "") return unreadable(`container ${container} has no awslogs-group`);
  if (prefix === "") {
    return unreadable(
      `container ${container} logs to ${group} without awslogs-stream-prefix: its stream cannot be known`,
    );
  }
  const task = taskArn.split("/").at(-1) ?? "";
  return { kind: "awslogs", group, region: text("awslogs-region"), stream: `${prefix}/${container}/${task}` };
}

function unreadable(why: string): LogSource {
  return { kind: "unreadable", why };
}
