import type { FakeTask } from "../ecs/state.ts";
import { containers } from "../ecs/tasks.ts";
import { defined, FakeAwsError, type Json, type Operation } from "../types.ts";

interface Line {
  readonly timestamp: number;
  readonly message: string;
}

/** CloudWatch Logs: streams of lines, read page by page. */
export class Logs {
  private readonly streams = new Map<string, Line[]>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** Appends lines to the stream of a task's container (default: the first that writes to awslogs). */
  write(task: FakeTask, lines: readonly string[], container?: string): void {
    const key = streamOf(task, container);
    if (key === undefined) return;
    const stream = this.streams.get(key) ?? [];
    for (const message of lines)
      stream.push({ timestamp: Math.round(this.now()), message: message === "" ? " " : message });
    this.streams.set(key, stream);
  }

  /** GetLogEvents. */
  readonly operations: Readonly<Record<string, Operation>> = {
    GetLogEvents: (input) => {
      const group = input["logGroupName"] ?? String(input["logGroupIdentifier"]).split(":").at(-1);
      const stream = this.streams.get(`${String(group)}\n${String(input["logStreamName"])}`);
      if (!stream)
        throw new FakeAwsError("ResourceNotFoundException", "The specified log stream does not exist.");
      return page(stream, input);
    },
  };
}

/** A page: from a token on, else the first or (by default) the last lines. The end gives the same token again. */
function page(stream: readonly Line[], input: Json): Json {
  const { startTime, endTime } = input as { readonly startTime?: number; readonly endTime?: number };
  const lines = stream.filter(
    ({ timestamp }) =>
      (startTime === undefined || timestamp >= startTime) && (endTime === undefined || timestamp < endTime),
  );
  const limit = Number(input["limit"] ?? 10_000);
  const [way, position] = String(input["nextToken"] ?? "").split("/");
  let from = input["startFromHead"] === true ? 0 : Math.max(0, lines.length - limit);
  let to = Math.min(lines.length, from + limit);
  if (way === "f") [from, to] = [Number(position), Math.min(lines.length, Number(position) + limit)];
  if (way === "b") [from, to] = [Math.max(0, Number(position) - limit), Number(position)];
  return {
    events: lines.slice(from, to).map((line) => ({ ...line, ingestionTime: line.timestamp })),
    nextForwardToken: `f/${to}`,
    nextBackwardToken: `b/${from}`,
  };
}

/** `group\nstream` of a container that logs to CloudWatch: stream = prefix/container/task. */
function streamOf(task: FakeTask, name: string | undefined): string | undefined {
  const container = containers(task).find((one) =>
    name === undefined ? optionsOf(one) : one["name"] === name,
  );
  const options = container && optionsOf(container);
  const prefix = options?.["awslogs-stream-prefix"];
  if (!options || prefix === undefined) return undefined;
  return `${String(options["awslogs-group"])}\n${String(prefix)}/${String(container["name"])}/${task.id}`;
}

function optionsOf(container: Json): Json | undefined {
  const configuration = defined((container["logConfiguration"] ?? {}) as Json);
  return configuration["logDriver"] === "awslogs" ? ((configuration["options"] ?? {}) as Json) : undefined;
}
