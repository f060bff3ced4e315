import { Failure } from "../../../../lib/errors.ts";
import type { Command, Exit } from "../../../../lib/exec.ts";
import { execute } from "../../../../lib/exec.ts";
import { failedBuild } from "./build-failure.ts";
import type { BuildSpec, EnginePorts } from "./engine.ts";
import { Transcript } from "./transcript.ts";

/** What engines and their tools read; nothing else of the runner's environment reaches them. */
const PASSED = [
  "PATH",
  "HOME",
  "USER",
  "TMPDIR",
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "DOCKER_HOST",
  "DOCKER_CONTEXT",
  "DOCKER_TLS",
  "DOCKER_TLS_VERIFY",
  "DOCKER_CERT_PATH",
  "DOCKER_API_VERSION",
  "BUILDX_BUILDER",
  "BUILDKIT_HOST",
  "BUILDAH_ISOLATION",
  "STORAGE_DRIVER",
  "STORAGE_OPTS",
  "CONTAINERS_CONF",
  "CONTAINERS_STORAGE_CONF",
  "CONTAINERS_REGISTRIES_CONF",
  "_CONTAINERS_USERNS_CONFIGURED",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
] as const;

/** The runner's cache service, for `type=gha` alone. */
const CACHE_SERVICE = [
  "ACTIONS_CACHE_URL",
  "ACTIONS_RESULTS_URL",
  "ACTIONS_RUNTIME_TOKEN",
  "ACTIONS_CACHE_SERVICE_V2",
] as const;

/** The environment of an engine's child; `spec` adds what only its build needs. */
export function childEnv(ports: EnginePorts, spec?: BuildSpec): Record<string, string> {
  const usesRunnerCache =
    spec && [...spec.cacheFrom, ...spec.cacheTo].some((cache) => cache.includes("type=gha"));
  const names = [
    ...PASSED,
    ...(spec && spec.ssh.length > 0 ? ["SSH_AUTH_SOCK"] : []),
    ...(usesRunnerCache ? CACHE_SERVICE : []),
  ];
  const env: Record<string, string> = { DOCKER_CONFIG: ports.dockerConfig };
  for (const name of names) {
    const value = ports.env[name];
    if (value !== undefined && value !== "") env[name] = value;
  }
  // Without a way to take colour off, a log is full of escapes.
  env["NO_COLOR"] = "1";
  env["BUILDX_CONFIG"] = `${ports.dockerConfig}/buildx`;
  env["REGISTRY_AUTH_FILE"] = `${ports.dockerConfig}/config.json`;
  if (spec?.commitTime !== undefined) env["SOURCE_DATE_EPOCH"] = String(spec.commitTime);
  return env;
}

/** How long an engine may take to say that it is there, milliseconds. */
export const PROBE_MS = 20_000;

/** Asks a program something short; undefined when it is not there or does not end well. */
export async function ask(
  argv: Command["argv"],
  env: Readonly<Record<string, string>>,
  ports: EnginePorts,
  { stdin, timeoutMs = PROBE_MS }: { readonly stdin?: string; readonly timeoutMs?: number } = {},
): Promise<Exit | undefined> {
  try {
    const timing = { timeoutMs, signal: ports.signal };
    const exit = await execute({ argv, env, ...timing, ...(stdin === undefined ? {} : { stdin }) });
    if (ports.signal.aborted) throw ports.signal.reason;
    return exit;
  } catch (error) {
    if (ports.signal.aborted) throw ports.signal.reason;
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Runs a build; its output goes to the log line by line. Throws BUILD_FAILED with the failing step. */
export async function runBuild(
  argv: Command["argv"],
  env: Readonly<Record<string, string>>,
  spec: BuildSpec,
  ports: EnginePorts,
): Promise<Transcript> {
  const transcript = new Transcript();
  const onLine = (line: string) => {
    transcript.add(line);
    ports.log.info(line);
  };
  const exit = await execute({ argv, env, cwd: spec.context, onLine, signal: ports.signal });
  if (ports.signal.aborted) throw ports.signal.reason;
  if (exit.code !== 0) throw failedBuild(exit, transcript, spec, ports);
  return transcript;
}

/** Runs a step that has to end well; throws with the end of what it printed. */
export async function must(
  argv: Command["argv"],
  env: Readonly<Record<string, string>>,
  ports: EnginePorts,
  what: string,
): Promise<Exit> {
  const exit = await execute({ argv, env, signal: ports.signal });
  if (ports.signal.aborted) throw ports.signal.reason;
  if (exit.code === 0) return exit;
  const lines = `${exit.stderr}\n${exit.stdout}`
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  throw new Failure(`${what}: ${lines.at(-1) ?? `\`${argv[0]}\` ended with code ${exit.code}`}`, {
    code: "ENGINE_FAILED",
    fix: "see the engine's own log; its disk may be full",
    evidence: lines.slice(-20),
  });
}
