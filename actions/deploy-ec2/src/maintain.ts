import type { Green, RunContext } from "../../../lib/action.ts";
import { Failure } from "../../../lib/errors.ts";
import { each } from "./each.ts";
import type { Facts } from "./facts.ts";
import type { Fleet } from "./fleet.ts";
import type { Inputs } from "./inputs.ts";
import { inspectHost } from "./inspect.ts";
import { releaseLock } from "./lock.ts";
import { quote } from "./shell.ts";

/** `action: status`: what runs on every host. Only reads. */
export async function status(_inputs: Inputs, context: RunContext, fleet: Fleet): Promise<Green> {
  const hosts = await context.phase("status", () =>
    each(fleet.ports.sessions, (session) => inspectHost(session, fleet.ports)),
  );
  for (const { name, facts } of hosts) context.log.info(`${name}: ${describe(facts)}`);
  context.draft.output("release", hosts[0]?.facts.current ?? "");
  context.draft.output("previous-release", hosts[0]?.facts.previous ?? "");
  context.draft.set(
    "status",
    hosts.map(({ name, facts }) => ({ host: name, ...facts })),
  );
  return "succeeded";
}

function describe(facts: Facts): string {
  if (facts.current === "") return "nothing is deployed";
  const life = facts.alive ? "running" : "not running";
  const lock = facts.lock ? `; locked by ${facts.lock.holder} (${facts.lock.age} s ago)` : "";
  const others = facts.releases.filter((item) => item.id !== facts.current).map((item) => item.id);
  return `${facts.current}, ${life}, port ${facts.port}; also there: ${others.join(", ") || "none"}${lock}`;
}

/** `action: prune`: removes releases that nobody needs, under the lock. */
export async function prune(inputs: Inputs, context: RunContext, fleet: Fleet): Promise<Green> {
  const call = { signal: context.signal, until: context.clock.now() + inputs.rollout.timeoutMs };
  const removed = await context.phase("prune", async () => {
    if (inputs.rollout.dryRun) {
      return (
        await each(fleet.ports.sessions, (session) => session.call("prune_list", "reading the releases"))
      ).flatMap(lines);
    }
    await each(fleet.ports.sessions, (session) => inspectHost(session, fleet.ports));
    const gate = await fleet.gate(
      {
        before: { hosts: [] },
        change: { release: "", digest: "", batches: [] },
        stage: 0,
        handle: null,
        backHandle: null,
      },
      "respect",
      call,
    );
    if (gate.kind === "busy") {
      throw new Failure(`another run holds the lock: ${gate.by}`, {
        code: "LOCKED",
        fix: "let it end and run again",
      });
    }
    try {
      return (
        await each(fleet.ports.sessions, (session) => session.call("prune", "removing releases"))
      ).flatMap(lines);
    } finally {
      await each(fleet.ports.sessions, (session) => releaseLock(session));
    }
  });
  context.log.info(removed.length === 0 ? "nothing to remove" : `releases: ${removed.join(", ")}`);
  context.draft.set("pruned", removed);
  if (inputs.rollout.dryRun) return "planned";
  context.draft.output("changed", removed.length > 0);
  return removed.length === 0 ? "unchanged" : "succeeded";
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** `action: unlock`: takes a lock away by hand, unless a host script is at work behind it. */
export async function unlock(inputs: Inputs, context: RunContext, fleet: Fleet): Promise<Green> {
  const script = inputs.rollout.dryRun
    ? 'if [ -d "$C/lock" ]; then echo "broken $(slurp "$C/lock/holder")"; else echo free; fi'
    : "lock_break";
  const answers = await context.phase("unlock", () =>
    each(fleet.ports.sessions, async (session) => ({
      name: session.host.name,
      answer: await session.call(script, "removing the lock", "PERMISSION_DENIED"),
    })),
  );
  const busy = answers.find(({ answer }) => answer.startsWith("busy"));
  if (busy) {
    throw new Failure(`${busy.name}: a deployment is at work: ${busy.answer.slice(5)}`, {
      code: "LOCKED",
      fix: "let it end; a dead one goes back by itself within two minutes",
    });
  }
  const broken = answers.filter(({ answer }) => answer.startsWith("broken"));
  for (const { name, answer } of broken) context.log.info(`${name}: lock of ${quote(answer.slice(7))}`);
  if (inputs.rollout.dryRun) return "planned";
  context.draft.output("changed", broken.length > 0);
  return broken.length > 0 ? "succeeded" : "unchanged";
}
