import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunContext } from "../../../../lib/action.ts";
import { type Failure, messageOf } from "../../../../lib/errors.ts";
import { findFiles } from "../find-files.ts";
import type { DatabaseInputs } from "../inputs.ts";
import { type Binaries, findPreinstalled } from "./binaries.ts";
import { installEmbedded } from "./embedded.ts";
import { DATABASE_STATE, serverFolderName } from "./folder.ts";
import { choosePlace, thisMachinesAccount } from "./place.ts";
import { databaseFailed, startServer } from "./server.ts";
import { type Login, queryOnce } from "./wire.ts";

/** A running database. */
export interface Database {
  readonly provider: Binaries["provider"];
  readonly version: string;
  readonly folder: string;
  readonly url: string;
  /** The same without its password. */
  readonly shownUrl: string;
  /** Variables for the commands, as `database-env` maps them. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a database is made in and for. */
export interface DatabasePlace {
  /** The project's folder, in which `database-init` is searched. */
  readonly root: string;
  readonly workspace: string;
  /** The environment for tools that are downloaded. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const INIT_TIMEOUT_MS = 120_000;

/** Starts a private PostgreSQL and fills it. Rejects with `DATABASE_FAILED`. */
export async function openDatabase(
  inputs: DatabaseInputs,
  place: DatabasePlace,
  context: RunContext,
): Promise<Database> {
  const { log, clock, signal, state, env, github } = context;
  const account = thisMachinesAccount();
  const candidates = [github.temp, tmpdir(), "/tmp", "/var/tmp", "/dev/shm"];
  const parent = choosePlace(candidates, account);
  if (!parent) {
    const who = account ? `the user ${account.name}` : "this user";
    throw databaseFailed(
      `none of ${candidates.join(", ")} can be used by ${who}`,
      [],
      "open one of these folders (`chmod 1777 /tmp`)",
    );
  }
  const binaries = await chooseBinaries(inputs, place, context);
  const folder = join(parent, serverFolderName());
  // Before anything is there: a step that is killed at any moment after this is cleaned up.
  state.save(DATABASE_STATE, { folder });
  log.info(
    `PostgreSQL ${binaries.version} (${binaries.provider}, ${binaries.folder})${account ? ` as the user ${account.name}` : ""}`,
  );
  const startedAt = clock.now();
  const { user, password, name, settings } = inputs;
  const login = await startServer({
    binaries,
    folder,
    account,
    user,
    password,
    database: name,
    settings,
    clock,
    signal,
  });
  log.info(`ready on 127.0.0.1:${login.port} after ${((clock.now() - startedAt) / 1000).toFixed(1)} s`);
  await runInitFiles(inputs, place, login, context);
  if (env["GITHUB_STATE"] === undefined)
    log.debug("no runner: the server is stopped at the end of this step");
  return {
    provider: binaries.provider,
    version: binaries.version,
    folder,
    url: urlOf(login, password),
    shownUrl: urlOf(login, "***"),
    env: databaseEnv(inputs.env, login),
  };
}

async function chooseBinaries(
  inputs: DatabaseInputs,
  place: DatabasePlace,
  context: RunContext,
): Promise<Binaries> {
  const wanted = inputs.version;
  if (inputs.provider !== "embedded") {
    const found = await findPreinstalled(wanted, context.env);
    if (found) return found;
    const which = wanted === "any" ? "no PostgreSQL" : `no PostgreSQL ${wanted}`;
    if (inputs.provider === "preinstalled") {
      throw databaseFailed(
        `${which} is installed on this machine`,
        [],
        "install it, or set `database` to `embedded` or `auto`",
      );
    }
    context.log.info(`${which} is installed: taking the embedded one`);
  }
  return installEmbedded(wanted, {
    toolCache: context.env["RUNNER_TOOL_CACHE"] || context.github.temp,
    env: place.env,
    log: context.log,
    signal: context.signal,
    platform: `${process.platform}-${process.arch}`,
  });
}

async function runInitFiles(
  inputs: DatabaseInputs,
  place: DatabasePlace,
  login: Login,
  context: RunContext,
): Promise<void> {
  if (inputs.init.length === 0) return;
  for (const file of initFiles(inputs.init, place)) {
    context.signal.throwIfAborted();
    try {
      const sql = await readFile(join(place.root, file), "utf8");
      await queryOnce(login, sql.replace(/^\ufeff/, ""), INIT_TIMEOUT_MS);
      context.log.info(`ran ${file}`);
    } catch (error) {
      throw databaseFailed(`the init file ${file} failed: ${messageOf(error)}`, [], `correct ${file}`);
    }
  }
}

/** The files in the order of the globs, those of one glob by name. A glob without a file is a mistake. */
function initFiles(globs: readonly string[], place: DatabasePlace): Set<string> {
  const excluded = globs.filter((glob) => glob.startsWith("!"));
  const all = new Set<string>();
  for (const glob of globs.filter((one) => !one.startsWith("!"))) {
    const { files, outside } = findFiles(place.root, [glob, ...excluded], place.workspace);
    const [refused] = outside;
    if (refused) throw initFailed(`matches ${refused}, which leads out of the workspace`);
    if (files.length === 0) throw initFailed(`matches no file: ${glob}`);
    for (const file of files) all.add(file);
  }
  return all;
}

function initFailed(problem: string): Failure {
  return databaseFailed(`\`database-init\` ${problem}`, [], "correct the glob");
}

/** Turns `NAME=part` into `NAME=value`. */
export function databaseEnv(map: ReadonlyMap<string, string>, login: Login): Record<string, string> {
  const parts: Readonly<Record<string, string>> = {
    // Never `localhost`: it may mean ::1, where the server does not listen.
    host: "127.0.0.1",
    port: String(login.port),
    user: login.user,
    password: login.password,
    database: login.database,
    url: urlOf(login, login.password),
  };
  return Object.fromEntries([...map].map(([name, part]) => [name, parts[part.trim()] ?? ""]));
}

function urlOf(login: Login, password: string): string {
  const secret = password === "***" ? password : encodeURIComponent(password);
  return `postgres://${encodeURIComponent(login.user)}:${secret}@127.0.0.1:${login.port}/${encodeURIComponent(login.database)}`;
}
