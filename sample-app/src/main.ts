import { type Config, type Environment, readConfig } from "./config.ts";
import { classifyFailure } from "./database.ts";
import { checkHealth, ownUrl } from "./health-check.ts";
import { chooseListenTarget } from "./listen.ts";
import { createLog, type Log } from "./log.ts";
import { readMigrations } from "./migrations.ts";
import { migrateOnce } from "./migrator.ts";
import { readRelease } from "./release.ts";
import { type Service, startService } from "./service.ts";

// The source and the bundle both lie one folder below migrations/ and openapi.json.
const ROOT = new URL("../", import.meta.url);

function makeLog(level: Config["logLevel"], secrets: readonly string[]): Log {
  return createLog({ level, secrets, write: (line) => process.stdout.write(line), now: () => new Date() });
}

function reasonOf(error: unknown): string {
  const failure = classifyFailure(error);
  return failure.kind === "duplicate" ? failure.constraint : failure.reason;
}

async function migrate(config: Config, log: Log): Promise<number> {
  try {
    const applied = await migrateOnce(config.database, readMigrations(new URL("migrations/", ROOT)));
    log.info(applied.length > 0 ? "migrations applied" : "no migrations to apply", { applied });
    return 0;
  } catch (error) {
    log.error(`cannot migrate: ${reasonOf(error)}`);
    return 1;
  }
}

/** Resolves with the exit code when the service was asked to stop and has. */
function untilStopped(service: Service, log: Log): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = async (signal: NodeJS.Signals): Promise<void> => {
      if (stopping) return service.cut(); // asked twice: somebody is in a hurry
      stopping = true;
      log.info("stopping", { signal });
      const result = await service.stop();
      if (result.kind === "drained") log.info("stopped");
      else log.error(`stopped with ${result.requests} requests cut`);
      resolve(result.kind === "drained" ? 0 : 1);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}

async function serve(config: Config, env: Environment, log: Log): Promise<number> {
  try {
    const release = readRelease(ROOT, env);
    const target = chooseListenTarget(env, process.pid, config);
    if (target.kind === "port" && target.note) log.warn(target.note);
    const service = await startService({ config, release, log, target, root: ROOT });
    log.info("listening", {
      ...(target.kind === "port" ? { port: service.port } : { fd: target.fd, port: service.port }),
      version: release.version,
      commit: release.commit,
      release: release.release,
      startMs: Math.round(process.uptime() * 1000),
    });
    return await untilStopped(service, log);
  } catch (error) {
    log.error(`cannot start: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function askOwnHealth(path: string, env: Environment, log: Log): Promise<number> {
  const url = ownUrl(env, path);
  const problem = url.ok ? await checkHealth(url.value) : url.problems.join("; ");
  if (problem !== "") log.error(`not healthy: ${problem}`);
  return problem === "" ? 0 : 1;
}

async function main(args: readonly string[], env: Environment): Promise<number> {
  const [command = "serve", ...rest] = args;
  const plain = makeLog("info", []);
  // Needs no database, so it must not fail for want of one's address.
  if (command === "healthcheck" && rest.length <= 1) return askOwnHealth(rest[0] ?? "/healthz", env, plain);
  if ((command !== "serve" && command !== "migrate") || rest.length > 0) {
    const allowed = "serve (the default) and migrate, or healthcheck [path] of a running service";
    plain.error(`unknown arguments "${args.join(" ")}": allowed are ${allowed}`);
    return 2;
  }
  const parsed = readConfig(env);
  if (!parsed.ok) {
    plain.error(`cannot start: ${parsed.problems.join("; ")}`, { problems: parsed.problems });
    return 1;
  }
  const log = makeLog(parsed.value.logLevel, [parsed.value.database.password]);
  process.on("uncaughtException", (error) => {
    log.error("uncaught error", { error: error.message, stack: error.stack });
    process.exit(1);
  });
  return command === "migrate" ? migrate(parsed.value, log) : serve(parsed.value, env, log);
}

// Node undoes the SIG_IGN that nohup sets, so a closed terminal would end a service that nohup started.
process.on("SIGHUP", () => {});
// The reader of the log may go away; that is no reason to stop serving.
process.stdout.on("error", () => {});
// Not left to an empty event loop: a connection attempt to a dead database could keep it busy.
main(process.argv.slice(2), process.env).then((code) => process.exit(code));
