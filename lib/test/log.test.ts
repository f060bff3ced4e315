import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { escapeData, escapeProperty, neutralise, RunnerLog } from "../log.ts";
import { Mask } from "../mask.ts";
import { parseWorkflowCommands } from "../testing/workflow-commands.ts";

function record(debug = false): { log: RunnerLog; text: () => string; mask: Mask } {
  let written = "";
  const mask = new Mask(() => {});
  const log = new RunnerLog(mask, (text) => (written += text), debug);
  return { log, mask, text: () => written };
}

describe("neutralise", () => {
  test.each([
    ["::error::x"],
    ["  ::set-output name=a::b"],
    ["\u00a0\u2003::error::x"],
    ["\u0085::error::x"],
    ["a\r::error::x"],
    ["a\r\n::error::x"],
    ["\n\n::stop-commands::x"],
    ["a ##[error]x"],
    ["##[group]"],
  ])("makes %j harmless", (text) => {
    expect(parseWorkflowCommands(text)).not.toEqual([]);
    expect(parseWorkflowCommands(neutralise(text))).toEqual([]);
  });

  test("leaves other text as it is", () => {
    for (const text of ["a::b", "http://[::1]:80", "std::string", "# [x]", "12:00", "  :x"]) {
      expect(neutralise(text)).toBe(text);
    }
  });

  test("no text makes a command", () => {
    const piece = fc.constantFrom(
      "::",
      ":",
      "##[",
      "#",
      "[",
      "error",
      "]",
      "\n",
      "\r",
      " ",
      "\t",
      "\u0085",
      "x",
      "%0A",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        expect(parseWorkflowCommands(neutralise(pieces.join("")))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test("takes time in proportion to the text, also for nothing but blank lines", () => {
    const startedAt = process.cpuUsage().user;
    neutralise("\n".repeat(200_000));
    // Quadratic work would be some 10 s here.
    expect(process.cpuUsage(undefined).user - startedAt).toBeLessThan(1_500_000);
  });
});

describe("RunnerLog", () => {
  test("an annotation reads back as it was given", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (message, title) => {
        const { log, text } = record();
        log.annotate({ level: "error", title, message, file: "a,b:c.ts", line: 3 });
        const [command, ...more] = parseWorkflowCommands(text());
        expect(more).toEqual([]);
        expect(command).toEqual({
          name: "error",
          properties: { title, file: "a,b:c.ts", line: "3" },
          data: message,
        });
      }),
    );
  });

  test("escapes so that nothing is taken twice", () => {
    expect(escapeData("100%0A\r\n")).toBe("100%250A%0D%0A");
    expect(escapeProperty("a:b,c")).toBe("a%3Ab%2Cc");
  });

  test("redacts what it writes, whatever the kind", async () => {
    const { log, mask, text } = record(true);
    mask.add("hunter22");
    log.info("i hunter22");
    log.warn("w hunter22");
    log.debug("d hunter22");
    log.annotate({ level: "notice", title: "hunter22", message: "hunter22", file: "hunter22" });
    await log.group("hunter22", async () => {});
    expect(text()).not.toContain("hunter22");
  });

  test("debug lines come only with debug logging", () => {
    const { log, text } = record(false);
    log.debug("x");
    expect(text()).toBe("");
  });

  test("a group inside a group does not close the outer one, and a throw closes it", async () => {
    const { log, text } = record();
    const failing = log.group("outer", async () => {
      await log.group("inner", async () => log.info("x"));
      throw new Error("stop");
    });
    await expect(failing).rejects.toThrow("stop");
    expect(text()).toBe("::group::outer\ninner\nx\n::endgroup::\n");
  });
});
