import { describe, expect, test } from "@jest/globals";
import { RemoteError, TimeoutError } from "../../errors.ts";
import { causeOf, classifyError } from "../faults.ts";

function error(fields: Record<string, unknown>, cause?: unknown): Error {
  return Object.assign(new Error("boom", cause === undefined ? undefined : { cause }), fields);
}

describe("a thrown error", () => {
  test.each([
    ["a throttle by name", error({ name: "ThrottlingException" }), "transient"],
    ["too many requests by name", error({ name: "TooManyRequestsException" }), "transient"],
    ["a throttle by status", error({ status: 429 }), "transient"],
    ["a 500", error({ statusCode: 500 }), "transient"],
    ["a 503 of an SDK", error({ $metadata: { httpStatusCode: 503 } }), "transient"],
    ["a reset", error({ code: "ECONNRESET" }), "transient"],
    [
      "a reset below a failure",
      new RemoteError("x", { code: "Y", cause: error({ code: "EPIPE" }) }),
      "transient",
    ],
    ["a reset below anything", error({}, error({}, error({ code: "ETIMEDOUT" }))), "transient"],
    ["a name server that is busy", error({ code: "EAI_AGAIN" }), "transient"],
    ["our own time-out", new TimeoutError("late", {}), "transient"],
    ["a 403", error({ status: 403 }), "denied"],
    ["a 401 of an SDK", error({ $metadata: { httpStatusCode: 401 } }), "denied"],
    ["a denial by name", error({ name: "AccessDeniedException" }), "denied"],
    [
      "an expired token, which AWS sends as 400",
      error({ name: "ExpiredTokenException", statusCode: 400 }),
      "denied",
    ],
    ["a failure that says so", new RemoteError("no", { code: "PERMISSION_DENIED" }), "denied"],
    [
      "a denial that was caused by a closed line",
      new RemoteError("no", { code: "AUTH_FAILED", cause: error({ code: "ECONNRESET" }) }),
      "denied",
    ],
    ["a wrong request", error({ statusCode: 400, name: "ClientException" }), "permanent"],
    ["an unknown host", error({ code: "ENOTFOUND" }), "permanent"],
    ["a defect", new TypeError("x is not a function"), "permanent"],
    ["no error at all", "text", "permanent"],
  ])("%s", (_name, thrown, expected) => {
    expect(classifyError(thrown)).toBe(expected);
  });

  test("an error that causes itself ends somewhere", () => {
    const round = error({});
    round.cause = round;
    expect(classifyError(round)).toBe("permanent");
  });
});

describe("as a cause", () => {
  test("a failure keeps its code, fix and evidence", () => {
    const failure = new RemoteError("the disk\n  is full", {
      code: "DISK_FULL",
      fix: "make room",
      evidence: ["0 B"],
    });
    expect(causeOf(failure, "permanent")).toEqual({
      code: "DISK_FULL",
      message: "the disk; is full",
      fix: "make room",
      evidence: ["0 B"],
    });
  });

  test("anything else gets a code by its class", () => {
    expect(causeOf(error({}), "denied")).toEqual({ code: "ACCESS_DENIED", message: "boom" });
    expect(causeOf("text", "permanent")).toEqual({ code: "REMOTE_FAILED", message: "text" });
  });
});
