import { RemoteError } from "../errors.ts";
import { runPost } from "../post.ts";

/** What the wrapper of post steps is put through by its tests. */
void runPost("build-test", async ({ log, read, state }) => {
  switch (read.text("scenario")) {
    case "left behind":
      throw new RemoteError("the server still runs", { code: "CLEANUP_FAILED", evidence: ["pid 7"] });
    case "defect":
      throw new TypeError("x is not a function");
    case "waits for nothing":
      await new Promise(() => {});
      return;
    case "escaped throw":
      setTimeout(() => {
        throw new Error("out of a timer");
      }, 10);
      await new Promise((resolve) => setTimeout(resolve, 5000));
      return;
    default:
      log.info(`state: ${JSON.stringify(state.load("server"))}`);
  }
});
