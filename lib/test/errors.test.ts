import { describe, expect, test } from "@jest/globals";
import { Cancelled, causeChain, Failure, messageOf, systemCode, TimeoutError, UserError } from "../errors.ts";

function withCode(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

describe("messageOf", () => {
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  test.each<[string, unknown, string]>([
    ["an error", new Error("x"), "x"],
    ["an error without a message", new TypeError(""), "TypeError"],
    ["a text", "x", "x"],
    ["an object", { a: 1 }, '{"a":1}'],
    ["nothing", undefined, "undefined"],
    ["an object that holds itself", loop, "[object Object]"],
    ["a big integer", 10n, "10"],
    [
      "all addresses of a host refused",
      new AggregateError(
        [withCode("connect ECONNREFUSED ::1:80", "E"), withCode("connect ECONNREFUSED 127.0.0.1:80", "E")],
        "",
      ),
      "connect ECONNREFUSED ::1:80; connect ECONNREFUSED 127.0.0.1:80",
    ],
  ])("%s", (_name, thrown, expected) => {
    expect(messageOf(thrown)).toBe(expected);
  });
});

describe("failures", () => {
  test("say what they are by default", () => {
    expect(new Failure("x", { code: "A" })).toMatchObject({
      code: "A",
      fix: "",
      evidence: [],
      outcome: "failed",
    });
    expect(new Cancelled()).toMatchObject({ code: "CANCELLED", outcome: "cancelled" });
    expect(new TimeoutError("x", {})).toMatchObject({ code: "TIMED_OUT", outcome: "failed" });
    expect(new TimeoutError("x", { code: "SLOW" }).code).toBe("SLOW");
  });

  test("wrong inputs come in one message and stay apart", () => {
    const error = new UserError(["`a` is required", "`b` is required"]);
    expect(error).toMatchObject({ code: "BAD_INPUT", message: "`a` is required; `b` is required" });
    expect(error.problems).toHaveLength(2);
  });

  test("keep their cause, and have none when there is none", () => {
    expect("cause" in new Failure("x", { code: "A" })).toBe(false);
    expect(new Failure("x", { code: "A", cause: "y" }).cause).toBe("y");
  });
});

describe("causeChain", () => {
  test("names each cause once and ends at a cycle", () => {
    const inner = new Error("inner");
    const outer = new Error("outer", { cause: inner });
    inner.cause = outer;
    expect(causeChain(outer)).toEqual(["outer", "inner"]);
    expect(causeChain(undefined)).toEqual([]);
  });
});

test("systemCode finds the system's code behind failures of our own", () => {
  const failure = new Failure("x", {
    code: "UPLOAD_FAILED",
    cause: new Error("y", { cause: withCode("z", "ENOSPC") }),
  });
  expect(systemCode(failure)).toBe("ENOSPC");
  expect(systemCode(new Error("x"))).toBe("");
  expect(systemCode("ENOSPC")).toBe("");
});
