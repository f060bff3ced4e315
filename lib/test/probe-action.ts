import { type Green, type RunContext, runAction } from "../action.ts";
import { Cancelled, Failure, RemoteError } from "../errors.ts";

/** Resolves on cancel; an open connection would keep the process alive, as the timer does here. */
function cancelOf(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => {}, 1000);
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      clearInterval(alive);
      resolve();
    });
  });
}

/** What the wrapper is put through by its tests; each scenario is one way for a run to end. */
const SCENARIOS: Record<string, (context: RunContext) => Promise<Green>> = {
  green: async ({ draft, phase }) => {
    await phase("look", async () => {});
    draft.output("thing", 3);
    draft.used({ type: "commit", name: "main", digest: "" });
    draft.set("extra", { a: [1] });
    draft.summary = "all is well\n";
    return "unchanged";
  },
  red: async ({ phase }) =>
    phase("reach", async () => {
      throw new RemoteError("line one\r\nline two\rwith hunter22", {
        code: "CONNECT_FAILED",
        fix: "open the port",
        evidence: ["::error::not a command", "hunter22"],
      });
    }),
  defect: async () => {
    throw new TypeError("x is not a function");
  },
  "full disk": async () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    throw new Error("the image could not be written", { cause: full });
  },
  "thrown text": async () => {
    throw "just text";
  },
  "escaped throw": () =>
    new Promise(() => {
      setInterval(() => {}, 1000);
      setTimeout(() => {
        throw new Error("out of a timer");
      }, 10);
    }),
  "escaped rejection": () =>
    new Promise(() => {
      setInterval(() => {}, 1000);
      void Promise.reject(new Error("nobody looked"));
    }),
  "waits for nothing": () => new Promise(() => {}),
  "takes over the report": async ({ draft }) => {
    draft.set("outcome", "failed");
    draft.set("schema", "other");
    draft.output("outcome", "failed");
    return "succeeded";
  },
  "echoes secrets": async ({ draft, log }) => {
    draft.output("thing", "hunter22");
    draft.set("note", ["hunter22"]);
    draft.summary = "hunter22";
    log.info("hunter22");
    return "succeeded";
  },
  waits: async ({ clock, signal, log }) => {
    log.info("waiting");
    await clock.sleep(60_000, signal);
    return "succeeded";
  },
  "breaks on cancel": async ({ signal, log }) => {
    log.info("waiting");
    await cancelOf(signal);
    throw new RemoteError("the connection closed", { code: "CONNECT_FAILED" });
  },
  "rolls back on cancel": async ({ signal, log }) => {
    log.info("waiting");
    await cancelOf(signal);
    throw new Failure("cancelled, and the old version serves again", {
      code: "CANCELLED",
      outcome: "rolled-back",
    });
  },
  "ignores a cancel": async ({ log }) => {
    log.info("waiting");
    await new Promise((resolve) => setTimeout(resolve, 1200));
    return "succeeded";
  },
  "hangs after a cancel": async ({ log }) => {
    log.info("waiting");
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    throw new Cancelled();
  },
};

void runAction({
  name: "build-test",
  outputs: ["thing", "changed", "duration-seconds"],
  parse: (read) => {
    read.secret("token");
    read.integer("count", 1, { min: 1 });
    read.bool("flag", false);
    return { scenario: read.text("scenario", "", { required: true }) };
  },
  run: async ({ scenario }, context) => {
    const play = SCENARIOS[scenario];
    if (!play) throw new Error(`no scenario ${scenario}`);
    return play(context);
  },
});
