import { readdirSync, readFileSync } from "node:fs";

/** What one process showed to everybody who looks: its command line and its environment. */
export interface SeenProcess {
  readonly pid: number;
  readonly commandLine: string;
  readonly environment: string;
}

/** Looks at the children of a process, and at theirs, every few milliseconds until it is stopped. */
export class ChildWatch {
  readonly seen = new Map<string, SeenProcess>();
  private readonly timer: NodeJS.Timeout;

  constructor(root: number) {
    const look = () => {
      for (const child of descendants(root)) {
        this.seen.set(`${child.pid} ${child.commandLine}`, child);
      }
    };
    this.timer = setInterval(look, 4);
  }

  stop(): readonly SeenProcess[] {
    clearInterval(this.timer);
    return [...this.seen.values()];
  }
}

/** Processes in whose environment or command line the text stands. */
export function processesWith(text: string): SeenProcess[] {
  return pids()
    .filter((pid) => pid !== process.pid)
    .map(lookAt)
    .filter(({ commandLine, environment }) => commandLine.includes(text) || environment.includes(text));
}

function descendants(root: number): SeenProcess[] {
  const parents = new Map(pids().map((pid) => [pid, parentOf(pid)]));
  // Between fork and exec a child still looks like its parent.
  const own = lookAt(root).commandLine;
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return parent === root || (parent > 1 && isBelow(parent));
  };
  return [...parents.keys()]
    .filter(isBelow)
    .map(lookAt)
    .filter(({ commandLine }) => commandLine !== own);
}

function pids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number {
  return Number(/\) \S (\d+)/.exec(textOf(`/proc/${pid}/stat`))?.[1] ?? 0);
}

function lookAt(pid: number): SeenProcess {
  const [commandLine, environment] = [textOf(`/proc/${pid}/cmdline`), textOf(`/proc/${pid}/environ`)];
  return {
    pid,
    commandLine: commandLine.replaceAll("\0", " "),
    environment: environment.replaceAll("\0", "\n"),
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It ended between two looks.
    return "";
  }
}
