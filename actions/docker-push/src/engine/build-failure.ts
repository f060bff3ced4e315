import { basename, relative } from "node:path";
import { Failure } from "../../../../lib/errors.ts";
import type { Exit } from "../../../../lib/exec.ts";
import { readDockerfile } from "./abilities.ts";
import { findInstruction, parseDockerfile } from "./dockerfile.ts";
import type { BuildSpec, EnginePorts } from "./engine.ts";
import type { Transcript } from "./transcript.ts";

/**
 * What to throw for a build that did not end well; the failing line of the
 * Dockerfile gets an annotation of its own.
 */
export function failedBuild(
  exit: Exit,
  transcript: Transcript,
  spec: BuildSpec,
  ports: EnginePorts,
): Failure {
  const { step, line: told, lines } = transcript.failure();
  const last = lastError(exit.stderr) || lastError(exit.stdout) || `it ended with code ${exit.code}`;
  const instructions = parseDockerfile(readDockerfile(spec.file));
  const parseError = /(?:parse error (?:on )?line|dockerfile line) (\d+)/i.exec(
    `${exit.stderr}\n${exit.stdout}`,
  );
  const found = parseError || !step ? undefined : findInstruction(instructions, step.text);
  const byCount = step && !step.id.startsWith("#") ? instructions[Number(step.id) - 1] : undefined;
  const line = Number(parseError?.[1] ?? 0) || told || (found ?? byCount)?.line || 0;
  const file = relative(ports.workspace, spec.file) || basename(spec.file);
  const place = line > 0 ? `${file}, line ${line}` : file;
  const message = step && !parseError ? `\`${step.text}\` failed: ${last}` : last;
  if (line > 0) ports.log.annotate({ level: "error", title: "Build failed", message, file, line });
  return new Failure(`the build failed (${place}): ${message}`, {
    code: codeOf(last),
    fix: fixFor(last),
    evidence: lines,
  });
}

/** The last line that tells an error; banners and frames around it are left out. */
function lastError(text: string): string {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(
      (line) =>
        line !== "" &&
        !/^[-=>#]|^\d+ \||^DEPRECATED|^Install the buildx|^https?:|buildx component/.test(line),
    );
  const telling = lines.filter((line) => /error|fail|denied|non-zero|not found|unknown|invalid/i.test(line));
  return (telling.at(-1) ?? lines.at(-1) ?? "").replace(
    /^(?:ERROR: |Error response from daemon: |error: |failed to solve(?: with frontend \S+)?: |failed to create LLB definition: )+/i,
    "",
  );
}

function codeOf(text: string): string {
  return /toomanyrequests|429 Too Many|pull rate limit/i.test(text) ? "RATE_LIMITED" : "BUILD_FAILED";
}

function fixFor(text: string): string {
  if (/toomanyrequests|429 Too Many|pull rate limit/i.test(text))
    return "log in to the base image's registry (`registry-auth`), or take the base image from a mirror";
  if (/pull access denied|unauthorized|authentication required|insufficient_scope/i.test(text))
    return "check the base image's name, and log in to its registry with `registry-auth`";
  if (/manifest unknown|not found|does not exist/i.test(text))
    return "check that the names in this line exist: base image, stage, or file in the build context";
  if (/no space left/i.test(text)) return "free disk space on the runner";
  if (/no such host|i\/o timeout|connection refused|TLS handshake/i.test(text))
    return "check the runner's network: a registry or server could not be reached";
  return "correct this step; its last lines are in the log and in the report";
}
