import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseFileCommands } from "../testing/file-commands.ts";
import { parseWorkflowCommands, type WorkflowCommand } from "../testing/workflow-commands.ts";

/** What a run of a probe left behind. */
export interface ProbeResult {
  readonly exitCode: number | null;
  readonly output: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly errors: readonly WorkflowCommand[];
  readonly report: Record<string, unknown> | undefined;
  readonly ms: number;
}

/** `signal` is sent once the output holds `waiting`. */
export interface ProbeOptions {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: NodeJS.Signals;
}

/** Runs one TypeScript file of this folder as a step, from its sources. */
export async function runProbe(file: string, options: ProbeOptions = {}): Promise<ProbeResult> {
  const folder = mkdtempSync(join(tmpdir(), "goci-probe-"));
  try {
    mkdirSync(join(folder, "temp"));
    for (const name of ["output", "state", "summary"]) writeFileSync(join(folder, name), "");
    const inputs = Object.entries(options.inputs ?? {});
    const startedAt = performance.now();
    const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url))], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 30_000,
      killSignal: "SIGKILL",
      env: {
        PATH: process.env["PATH"] ?? "",
        GITHUB_OUTPUT: join(folder, "output"),
        GITHUB_STATE: join(folder, "state"),
        GITHUB_STEP_SUMMARY: join(folder, "summary"),
        GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
        RUNNER_TEMP: join(folder, "temp"),
        ...Object.fromEntries(inputs.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
        ...options.env,
      },
    });
    let output = "";
    let sent = false;
    const collect = (text: string) => {
      output += text;
      if (!options.signal || sent || !output.includes("waiting")) return;
      sent = true;
      child.kill(options.signal);
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
    const outputs = parseFileCommands(readFileSync(join(folder, "output"), "utf8"));
    const path = outputs["report"] ?? "";
    return {
      exitCode,
      output,
      outputs,
      summary: readFileSync(join(folder, "summary"), "utf8"),
      errors: parseWorkflowCommands(output).filter((command) => command.name === "error"),
      report: existsSync(path)
        ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>)
        : undefined,
      ms: performance.now() - startedAt,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
