import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse as parseYaml } from "yaml";
import { parseFileCommands } from "./file-commands.ts";
import { parseWorkflowCommands, type WorkflowCommand } from "./workflow-commands.ts";

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** What a step left behind, as the runner would see it. */
export interface StepResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** stdout and stderr in the order they came, before masking. */
  readonly output: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly exportedEnv: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly commands: readonly WorkflowCommand[];
  readonly errors: readonly WorkflowCommand[];
  readonly masks: readonly string[];
  /** The report file of the `report` output, undefined when there is none. */
  readonly report: Readonly<Record<string, unknown>> | undefined;
  readonly durationMs: number;
}

/** A step that is still going. */
export interface RunningStep {
  readonly process: ChildProcess;
  readonly result: Promise<StepResult>;
  /** What it printed so far. */
  output(): string;
  /** Resolves when the output holds the text (or matches); rejects when the step ends without. */
  waitFor(text: string | RegExp): Promise<void>;
  /** As a person cancels a run: SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL. */
  cancel(): Promise<StepResult>;
  kill(signal: NodeJS.Signals): void;
}

export interface StepOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Program that runs the bundle; this very Node by default. */
  readonly node?: string;
}

interface ActionFile {
  readonly inputs?: Record<string, { default?: unknown }>;
  readonly runs: { readonly main: string; readonly post?: string };
}

/**
 * Runs bundles as GitHub's runner does: inputs with the defaults of action.yml
 * in INPUT_*, file commands, a clean environment, and a post step that gets
 * nothing but the saved state. One instance is one job.
 * https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax
 */
export class FakeRunner {
  readonly root: string;
  readonly workspace: string;
  readonly temp: string;
  private readonly env: Readonly<Record<string, string>>;
  private steps = 0;

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.root = mkdtempSync(join(tmpdir(), "goci-runner-"));
    this.workspace = join(this.root, "workspace");
    this.temp = join(this.root, "temp");
    mkdirSync(this.workspace);
    // Closed to other users, as on self-hosted runners: what runs as another user must cope.
    mkdirSync(this.temp, { mode: 0o700 });
    this.env = env;
  }

  /** Runs the main step to its end. */
  async main(
    action: string,
    inputs: Record<string, string> = {},
    options: StepOptions = {},
  ): Promise<StepResult> {
    return this.start(action, inputs, options).result;
  }

  /** Starts the main step. `action` is the folder's name under actions/. */
  start(action: string, inputs: Record<string, string> = {}, options: StepOptions = {}): RunningStep {
    return this.launch(action, "main", inputs, {}, options);
  }

  /** Runs the post step with what the main step saved. */
  async post(
    action: string,
    main: Pick<StepResult, "state">,
    inputs: Record<string, string> = {},
    options: StepOptions = {},
  ): Promise<StepResult> {
    return this.launch(action, "post", inputs, main.state, options).result;
  }

  /** Removes the job's folders. */
  dispose(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  private launch(
    action: string,
    which: "main" | "post",
    inputs: Record<string, string>,
    state: Readonly<Record<string, string>>,
    options: StepOptions,
  ): RunningStep {
    const folder = join(REPOSITORY, "actions", action);
    const definition = parseYaml(readFileSync(join(folder, "action.yml"), "utf8")) as ActionFile;
    const entry = definition.runs[which];
    if (!entry) throw new Error(`actions/${action} has no ${which} step`);
    const files = this.commandFiles();
    const env = {
      ...this.baseEnv(),
      ...files.env,
      ...inputEnv(definition, inputs),
      ...Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value])),
      ...this.env,
      ...options.env,
    };
    const child = spawn(options.node ?? process.execPath, [join(folder, entry)], {
      cwd: this.workspace,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return follow(child, files.read);
  }

  private baseEnv(): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: process.env["HOME"] ?? "",
      LANG: "C.UTF-8",
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: this.workspace,
      GITHUB_REPOSITORY: "acme/shop",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
      GITHUB_REF: "refs/heads/main",
      GITHUB_REF_NAME: "main",
      GITHUB_EVENT_NAME: "push",
      GITHUB_WORKFLOW: "ci",
      GITHUB_JOB: "job",
      GITHUB_ACTOR: "octocat",
      GITHUB_RUN_ID: "1001",
      GITHUB_RUN_NUMBER: "7",
      GITHUB_RUN_ATTEMPT: "1",
      RUNNER_TEMP: this.temp,
      RUNNER_TOOL_CACHE: join(this.root, "tools"),
      RUNNER_OS: "Linux",
      RUNNER_ARCH: "X64",
    };
  }

  private commandFiles() {
    const folder = join(this.root, `step-${++this.steps}`);
    mkdirSync(folder);
    const path = (name: string) => join(folder, name);
    const names = ["output", "state", "env", "path", "summary"] as const;
    for (const name of names) writeFileSync(path(name), "");
    const read = (name: (typeof names)[number]) =>
      existsSync(path(name)) ? readFileSync(path(name), "utf8") : "";
    return {
      env: {
        GITHUB_OUTPUT: path("output"),
        GITHUB_STATE: path("state"),
        GITHUB_ENV: path("env"),
        GITHUB_PATH: path("path"),
        GITHUB_STEP_SUMMARY: path("summary"),
      },
      read,
    };
  }
}

function inputEnv(definition: ActionFile, inputs: Record<string, string>): Record<string, string> {
  const env: Record<string, string> = {};
  const put = (name: string, value: string) => {
    env[`INPUT_${name.replace(/ /g, "_").toUpperCase()}`] = value;
  };
  for (const [name, input] of Object.entries(definition.inputs ?? {})) {
    const fallback = String(input?.default ?? "");
    put(name, fallback.includes("${{") ? "" : fallback);
  }
  for (const [name, value] of Object.entries(inputs)) put(name, value);
  return env;
}

type ReadFile = (name: "output" | "state" | "env" | "path" | "summary") => string;

function follow(child: ChildProcess, read: ReadFile): RunningStep {
  const startedAt = performance.now();
  let output = "";
  let ended = false;
  const listeners = new Set<() => void>();
  const collect = (text: string) => {
    output += text;
    for (const listener of listeners) listener();
  };
  // Decoded by the stream: a character may come in two chunks.
  child.stdout?.setEncoding("utf8").on("data", collect);
  child.stderr?.setEncoding("utf8").on("data", collect);
  const result = new Promise<StepResult>((resolveResult, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode, signal) => {
      ended = true;
      for (const listener of listeners) listener();
      resolveResult(readResult(exitCode, signal, output, read, performance.now() - startedAt));
    });
  });
  const holds = (text: string | RegExp) =>
    typeof text === "string" ? output.includes(text) : text.test(output);
  return {
    process: child,
    result,
    output: () => output,
    waitFor: (text) =>
      new Promise((resolveWait, reject) => {
        const look = () => {
          if (holds(text)) resolveWait();
          else if (ended) reject(new Error(`the step ended without printing ${String(text)}:\n${output}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    kill: (signal) => void child.kill(signal),
    cancel: () => cancelAsRunner(child, result),
  };
}

async function cancelAsRunner(child: ChildProcess, result: Promise<StepResult>): Promise<StepResult> {
  child.kill("SIGINT");
  const term = setTimeout(() => child.kill("SIGTERM"), 7500);
  const kill = setTimeout(() => child.kill("SIGKILL"), 10_000);
  try {
    return await result;
  } finally {
    clearTimeout(term);
    clearTimeout(kill);
  }
}

function readResult(
  exitCode: number | null,
  signal: NodeJS.Signals | null,
  output: string,
  read: ReadFile,
  durationMs: number,
): StepResult {
  const outputs = parseFileCommands(read("output"));
  const commands = parseWorkflowCommands(output);
  const path = outputs["report"];
  return {
    exitCode,
    signal,
    output,
    outputs,
    state: parseFileCommands(read("state")),
    exportedEnv: parseFileCommands(read("env")),
    summary: read("summary"),
    commands,
    errors: commands.filter((command) => command.name === "error"),
    masks: commands.filter((command) => command.name === "add-mask").map((command) => command.data),
    report:
      path && existsSync(path)
        ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>)
        : undefined,
    durationMs,
  };
}
