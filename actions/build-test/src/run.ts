import type { Green, RunContext } from "../../../lib/action.ts";
import { Failure, messageOf } from "../../../lib/errors.ts";
import { loadYaml } from "../../../lib/yaml.ts";
import { runStage } from "./commands.ts";
import type { Database } from "./database/database.ts";
import { removeServer } from "./database/processes.ts";
import { lookBefore } from "./gather.ts";
import type { Inputs } from "./inputs.ts";
import { type Job, openJob } from "./job.ts";
import { judge } from "./judge.ts";
import { tellSlack } from "./slack.ts";
import { MARK_STATE } from "./strays.ts";
import { tellArtifact, tellDatabase, tellPlan } from "./tell.ts";

/** Installs, builds and tests the project, judges it, and keeps its artifact. */
export async function run(inputs: Inputs, context: RunContext): Promise<Green> {
  if (inputs.database.provider !== "none") context.mask.add(inputs.database.password);
  if (context.github.sha) context.draft.used({ type: "commit", name: context.github.sha, digest: "" });
  if (inputs.quarantineFile !== "") await loadYaml();
  const job = await context.phase("plan", async () => tellPlan(openJob(inputs, context)));
  if (inputs.dryRun) return "planned";
  try {
    await carryOut(job);
  } catch (error) {
    const reason = error instanceof Failure ? `${error.code}: ${error.message}` : "an unexpected error";
    // The verdict stays what it was: a message that could not be sent beside it is a warning.
    await tellSlack({ ...inputs.slack, required: false }, newsOf(job, false, reason), context);
    throw error;
  }
  await tellSlack(inputs.slack, newsOf(job, true, ""), context);
  return "succeeded";
}

async function carryOut(job: Job): Promise<void> {
  const { inputs, context } = job;
  const before = lookBefore(job);
  context.state.save(MARK_STATE, job.mark);
  const database = await startDatabase(job);
  try {
    const variables = database?.env ?? {};
    if (inputs.cache)
      context.log.info("cache not used: this version leaves it to the package manager's own folder");
    await runStage(job, "install", variables);
    await runStage(job, "build", variables);
    const ends = await runStage(job, "test", variables);
    await judge(job, before, ends, variables);
  } finally {
    // Without a runner there is no post step that would stop it.
    if (database && context.env["GITHUB_STATE"] === undefined)
      await removeServer(database.folder, context.clock);
  }
  if (inputs.artifact.paths.length === 0) return;
  const { makeArtifact } = await import("./artifact.ts");
  const artifact = await context.phase("artifact", () => makeArtifact(job));
  if (artifact) tellArtifact(job, artifact);
}

async function startDatabase(job: Job): Promise<Database | undefined> {
  const { database: inputs } = job.inputs;
  if (inputs.provider === "none") return undefined;
  const { openDatabase } = await import("./database/database.ts");
  const { databaseFailed } = await import("./database/server.ts");
  const place = { root: job.root, workspace: job.workspace, env: job.env() };
  const database = await job.context.phase("database", () =>
    openDatabase(inputs, place, job.context).catch((error: unknown) => {
      job.context.signal.throwIfAborted();
      if (error instanceof Failure && error.code === "DATABASE_FAILED") throw error;
      // A full disk, a program that cannot be started: whatever it was, there is no database.
      throw databaseFailed(messageOf(error), error instanceof Failure ? error.evidence : []);
    }),
  );
  tellDatabase(job, database);
  return database;
}

function newsOf(
  job: Job,
  isGreen: boolean,
  reason: string,
): { readonly isGreen: boolean; readonly text: string } {
  const { repository, refName, job: name, runUrl } = job.context.github;
  const what = [repository, refName, name].filter((part) => part !== "").join(" ");
  const text = `${isGreen ? "✅" : "❌"} ${what}: ${isGreen ? "tests passed" : reason} ${runUrl}`;
  return { isGreen, text: job.context.mask.redact(text.trim()) };
}
