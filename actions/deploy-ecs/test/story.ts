import type { RunContext } from "../../../lib/action.ts";
import type { JsonObject } from "../../../lib/aws/call.ts";
import type { Clock } from "../../../lib/clock.ts";
import { Failure } from "../../../lib/errors.ts";
import { readGitHubContext } from "../../../lib/github-context.ts";
import type { ProbeAnswer } from "../../../lib/http.ts";
import { InputReader } from "../../../lib/inputs.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { Mask } from "../../../lib/mask.ts";
import type { PostContext } from "../../../lib/post.ts";
import { ReportDraft } from "../../../lib/report.ts";
import { VirtualClock } from "../../../lib/rollout/test/virtual-clock.ts";
import { memoryState } from "../../../lib/state.ts";
import type { FakeAws as World, WorldOptions } from "../../../lib/testing/fake-ecs/world.ts";
import { FakeAws } from "../../../lib/testing/fake-ecs/world.ts";
import { takeUp } from "../src/afterwards.ts";
import { deploy, type Remotes } from "../src/deploy.ts";
import { parseInputs } from "../src/inputs.ts";

/** One run in a world of its own, in virtual time. */
export interface Story {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly world?: WorldOptions;
  /** Before the run; a service `app` is added unless this adds one. */
  readonly arrange?: (aws: World, clock: VirtualClock) => void;
  /** What the service's URL answers; undefined: 200. */
  readonly answer?: (aws: World) => number;
  /** SIGINT so long after the start, virtual milliseconds, or when a call has been made. */
  readonly cancelAt?: number;
  readonly cancelAfter?: (aws: World) => boolean;
  /** The process is killed before this call (from 1) is made. */
  readonly killBefore?: number;
  /** Answers as another stand-in for AWS would give them; nothing of the world is changed. */
  readonly retold?: (operation: string, answer: JsonObject) => JsonObject;
  /** The runner's clock differs from the server's by so much, milliseconds. */
  readonly skew?: number;
}

/** How it ended. */
export interface Told {
  readonly aws: World;
  readonly outcome: string;
  readonly code: string;
  readonly message: string;
  readonly evidence: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly log: readonly string[];
  readonly notices: readonly string[];
  readonly state: Readonly<Record<string, unknown>>;
  readonly summary: string;
  readonly report: unknown;
  /** Virtual milliseconds from the start to the verdict. */
  readonly took: number;
  readonly endedAt: number;
  /** Names of the calls, the service left out, in order. */
  readonly calls: readonly string[];
}

const KILLED = "killed";

/** Plays a run to its end; after a kill also the post step. */
export async function tell(story: Story): Promise<Told> {
  const time = new VirtualClock();
  time.time = Date.UTC(2026, 0, 1);
  const server = time.process();
  const aws = new FakeAws({ clock: server.clock, ...story.world });
  story.arrange?.(aws, time);
  if (aws.ecs.state.services.length === 0) aws.addService();
  const state = memoryState();
  const startedAt = time.time;
  const main = await play(story, aws, time, state, false);
  const told = { ...main, took: time.time - startedAt, endedAt: time.time };
  if (main.outcome !== KILLED) return told;
  const post = await play(story, aws, time, state, true);
  return { ...post, took: time.time - startedAt, endedAt: time.time };
}

async function play(
  story: Story,
  aws: World,
  time: VirtualClock,
  state: ReturnType<typeof memoryState>,
  after: boolean,
): Promise<Omit<Told, "took" | "endedAt">> {
  const env = inputEnv(story.inputs ?? { image: "app:2", service: "app" });
  const mask = new Mask(() => {});
  const github = readGitHubContext({});
  const log = new RecordingLog();
  const draft = new ReportDraft();
  const cancel = new AbortController();
  const { clock, kill } = time.process();
  const skewed = {
    now: () => clock.now() + (story.skew ?? 0),
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
  };
  let died: () => void = () => {};
  const death = new Promise<string>((resolve) => {
    died = () => {
      kill();
      resolve(KILLED);
    };
  });
  // Only the main step is killed: the post step's calls go on from the same number.
  const remotes = remotesOf(after ? withoutKill(story) : story, aws, () => died(), cancel, clock);
  const read = new InputReader(env, mask);
  // As on a runner, a step does not read back what it saved itself.
  const own = { save: state.save, load: after ? state.load : () => undefined };
  const common = { log, clock: skewed, signal: cancel.signal, mask, state: own, github, env };
  let outcome = "";
  let failure: Failure | undefined;
  const work = async () => {
    try {
      if (after) {
        const context: PostContext = { ...common, read };
        await takeUp(context, () => remotes);
        outcome = "post: proven";
        return;
      }
      const inputs = parseInputs(read, github);
      read.finish();
      const context: RunContext = { ...common, draft, phase: (name, body) => log.group(name, body) };
      if (story.cancelAt !== undefined) {
        void server(time, story.cancelAt, () =>
          cancel.abort(new Failure("the run was cancelled", { code: "CANCELLED", outcome: "cancelled" })),
        );
      }
      outcome = await deploy(inputs, context, remotes);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure = error;
      outcome = after ? `post: ${error.outcome}` : error.outcome;
    }
  };
  const ended = await time.run(Promise.race([work(), death]));
  if (ended === KILLED) outcome = KILLED;
  return {
    aws,
    outcome,
    code: failure?.code ?? "",
    message: failure?.message ?? "",
    evidence: failure?.evidence ?? [],
    outputs: Object.fromEntries(draft.outputs),
    log: log.lines,
    notices: log.annotations.map(({ message }) => message),
    state: state.values,
    summary: draft.summary,
    report: { fields: draft.fields, materials: draft.materials, subjects: draft.subjects },
    calls: aws.calls.map(({ operation }) => operation),
  };
}

function withoutKill({ killBefore: _, ...story }: Story): Story {
  return story;
}

function server(time: VirtualClock, ms: number, happen: () => void): void {
  time.at(ms, happen);
}

function remotesOf(
  story: Story,
  aws: World,
  die: () => void,
  cancel: AbortController,
  clock: Clock,
): Remotes {
  return {
    call: async (service, operation, input, options) => {
      if (story.killBefore !== undefined && aws.calls.length + 1 === story.killBefore) {
        die();
        return new Promise(() => {});
      }
      try {
        const answer = await within(clock, options?.signal, (signal) =>
          aws.call(service, operation, input, { signal }),
        );
        return story.retold?.(operation, answer) ?? answer;
      } finally {
        if (story.cancelAfter?.(aws)) {
          cancel.abort(new Failure("the run was cancelled", { code: "CANCELLED", outcome: "cancelled" }));
        }
      }
    },
    region: async () => ({ name: "eu-west-1", source: "the test" }),
    probe: async (): Promise<ProbeAnswer> => {
      const status = story.answer?.(aws) ?? 200;
      if (status === 0) return { kind: "error", code: "ECONNREFUSED", message: "refused", ms: 1 };
      return { kind: "response", status, headers: {}, body: "", ms: 1 };
    },
  };
}

/** As the SDK does: an answer that does not come is a time-out. */
async function within<T>(
  clock: Clock,
  outer: AbortSignal | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const over = new AbortController();
  const timeout = Object.assign(new Error("no answer within 15 s"), { name: "TimeoutError" });
  clock.sleep(15_000, over.signal).then(
    () => late.abort(timeout),
    () => {},
  );
  try {
    return await ask(AbortSignal.any([late.signal, ...(outer ? [outer] : [])]));
  } finally {
    over.abort();
  }
}

function inputEnv(inputs: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
}

/** The image that the PRIMARY deployment of a service runs, and its state: the world's own truth. */
export function truth(aws: World, name = "app"): string {
  const service = aws.service(name);
  const primary = service.deployments.find(({ status }) => status === "PRIMARY");
  const containers = primary?.revision.definition.body["containerDefinitions"] as { image: string }[];
  return `${containers?.[0]?.image} ${primary?.rolloutState ?? "without a state"}`;
}
