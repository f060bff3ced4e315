/** What a host said of itself; plain JSON without secrets. */
export interface Facts {
  readonly uid: number;
  readonly user: string;
  readonly tools: readonly string[];
  /** Whether the login's user can write where the deploy root is or will be. */
  readonly writable: boolean;
  /** The nearest folder above the deploy root that exists, or the root itself. */
  readonly parent: string;
  readonly blocked: string;
  readonly freeBytes: number;
  /** 0 where the file system does not count them. */
  readonly freeInodes: number;
  readonly sudo: boolean;
  readonly systemd: boolean;
  readonly systemdUser: boolean;
  /** Release that `current` names, "" for none. */
  readonly current: string;
  /** Release that was proven last, "" for none. */
  readonly good: string;
  readonly previous: string;
  readonly digest: string;
  /** `<run number> <workflow>` of the current release. */
  readonly run: string;
  readonly alive: boolean;
  /** Who listens on the app port, seen from the current release. */
  readonly port: "own" | "foreign" | "none";
  readonly holder: string;
  readonly releases: readonly { readonly id: string; readonly digest: string; readonly proven: boolean }[];
  readonly lock: { readonly age: number; readonly token: string; readonly holder: string } | null;
  /** The last deployment: whose it was, how it stands, and whether its script still runs. */
  readonly deploy: { readonly token: string; readonly state: string; readonly running: boolean } | null;
}

/** Facts and what must stay in memory: it comes from secrets. */
export interface Inspection {
  readonly facts: Facts;
  readonly fingerprint: string;
}

/** States of the host script after which it does nothing more. */
const FINAL = new Set([
  "committed",
  "left",
  "failed",
  "removed",
  "rolled-back",
  "rollback-failed",
  "superseded",
  "none",
]);

/** Whether the host script has said its last word. */
export function isFinal(state: string): boolean {
  return FINAL.has(state);
}

/** Reads the `name value` lines of inspect.sh. */
export function parseFacts(text: string): Inspection {
  const lines = text.split("\n").map((line) => /^(\S+) ?(.*)$/.exec(line));
  const all = (name: string) =>
    lines.filter((line) => line?.[1] === name).map((line) => line?.[2]?.trim() ?? "");
  const one = (name: string) => all(name)[0] ?? "";
  const yes = (name: string) => one(name) === "yes";
  const port = one("port");
  const [age, token] = one("lock").split(" ");
  const [owner, state] = one("deploy").split(" ");
  const facts: Facts = {
    uid: Number(one("uid")),
    user: one("user"),
    tools: all("has"),
    writable: yes("writable"),
    parent: one("parent"),
    blocked: one("blocked"),
    freeBytes: Number(one("free-kb")) * 1024,
    freeInodes: Number(one("free-inodes")) || 0,
    sudo: yes("sudo"),
    systemd: yes("systemd"),
    systemdUser: yes("systemd-user"),
    current: one("current"),
    good: one("good"),
    previous: one("previous"),
    digest: one("digest"),
    run: one("run"),
    alive: yes("alive"),
    port: port === "own" || port === "foreign" ? port : "none",
    holder: one("holder"),
    releases: all("release").map((line) => {
      const [id, digest, proven] = line.split(" ");
      return { id: id ?? "", digest: digest === "-" ? "" : (digest ?? ""), proven: proven === "proven" };
    }),
    lock: token === undefined ? null : { age: Number(age), token, holder: one("lock-holder") },
    deploy:
      state === undefined ? null : { token: owner ?? "", state, running: one("supervisor") === "alive" },
  };
  return { facts, fingerprint: one("fingerprint") };
}
