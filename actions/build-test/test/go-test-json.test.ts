import { describe, expect, test } from "@jest/globals";
import { read, statuses, tests } from "./read.ts";

type Event = Readonly<Record<string, string | number>>;

function stream(...events: (Event | string)[]): string {
  return `${events.map((event) => (typeof event === "string" ? event : JSON.stringify(event))).join("\n")}\n`;
}

const P = "example.com/p";
const run = (name: string, pkg = P): Event => ({ Action: "run", Package: pkg, Test: name });
const end = (action: string, name: string, pkg = P): Event => ({
  Action: action,
  Package: pkg,
  Test: name,
  Elapsed: 0.25,
});
const pkgEnd = (action: string, pkg = P): Event => ({ Action: action, Package: pkg, Elapsed: 1 });
const out = (text: string, name: string): Event => ({
  Action: "output",
  Package: P,
  Test: name,
  Output: text,
});

describe("go test -json", () => {
  test("passes, fails and skips, with time, message and place", async () => {
    const report = await tests(
      stream(
        run("A"),
        end("pass", "A"),
        run("B"),
        out("    p_test.go:12: wrong sum\n", "B"),
        end("fail", "B"),
        run("C"),
        out("    p_test.go:20: later\n", "C"),
        end("skip", "C"),
        pkgEnd("fail"),
      ),
    );
    expect(report.map(({ name, status, message, line, ms }) => [name, status, message, line, ms])).toEqual([
      ["A", "passed", "", 0, 250],
      ["B", "failed", "wrong sum", 12, 250],
      ["C", "skipped", "later", 0, 250],
    ]);
  });

  test("subtests count as leaves, their parents do not", async () => {
    const text = stream(
      run("A"),
      run("A/x"),
      run("A/y"),
      end("pass", "A/x"),
      end("fail", "A/y"),
      end("fail", "A"),
      pkgEnd("fail"),
    );
    expect(await statuses(text)).toEqual(["A/x=passed", "A/y=failed"]);
  });

  test("a parent that fails by itself counts", async () => {
    const text = stream(run("A"), run("A/x"), end("pass", "A/x"), end("fail", "A"), pkgEnd("fail"));
    expect(await statuses(text)).toEqual(["A=failed", "A/x=passed"]);
  });

  test("a test without an end has failed, with the panic as its message", async () => {
    const text = stream(run("A"), out("panic: lost\n", "A"), pkgEnd("fail"));
    const [only] = await tests(text);
    expect([only?.name, only?.status, only?.message]).toEqual(["A", "failed", "panic: lost"]);
  });

  test("a package without an end has failed", async () => {
    expect(await statuses(stream(run("A"), end("pass", "A")))).toEqual(["A=passed", "(package)=failed"]);
  });

  test("a package that fails without a failed test is a failure", async () => {
    expect(await statuses(stream(run("A"), end("pass", "A"), pkgEnd("fail")))).toEqual([
      "A=passed",
      "(package)=failed",
    ]);
  });

  test("a failed build beside a passing package is a failure", async () => {
    const text = stream(
      {
        ImportPath: "example.com/q [example.com/q.test]",
        Action: "build-output",
        Output: "# example.com/q\n",
      },
      {
        ImportPath: "example.com/q [example.com/q.test]",
        Action: "build-output",
        Output: "q.go:3:1: undefined: x\n",
      },
      { ImportPath: "example.com/q [example.com/q.test]", Action: "build-fail" },
      {
        Action: "fail",
        Package: "example.com/q",
        Elapsed: 0,
        FailedBuild: "example.com/q [example.com/q.test]",
      },
      run("A"),
      end("pass", "A"),
      pkgEnd("pass"),
    );
    const report = await tests(text);
    expect(report.map(({ suite, name, status }) => [suite, name, status])).toEqual([
      ["example.com/q", "(build)", "failed"],
      [P, "A", "passed"],
    ]);
    expect(report[0]?.message).toBe("the build failed: q.go:3:1: undefined: x");
  });

  test("a failed build whose package never comes is a failure", async () => {
    const text = stream(
      { ImportPath: "example.com/q", Action: "build-fail" },
      run("A"),
      end("pass", "A"),
      pkgEnd("pass"),
    );
    expect(await statuses(text)).toEqual(["A=passed", "(build)=failed"]);
  });

  test("noise, missing Elapsed, mixed packages and output after the end are no trouble", async () => {
    const text = stream(
      "go: downloading example.com/z v1.0.0",
      "{not json",
      run("A"),
      run("A", "example.com/q"),
      { Action: "pass", Package: P, Test: "A" },
      out("stray\n", "A"),
      end("pass", "A", "example.com/q"),
      pkgEnd("pass"),
      pkgEnd("pass", "example.com/q"),
    );
    expect(await statuses(text)).toEqual(["A=passed", "A=passed"]);
  });

  test("-count=2: a failure of the first run is not lost in the second", async () => {
    const text = stream(run("A"), end("fail", "A"), run("A"), end("pass", "A"), pkgEnd("fail"));
    expect(await statuses(text)).toEqual(["A=failed", "A=passed"]);
  });

  test("a package without tests is no test", async () => {
    expect(await statuses(stream(pkgEnd("skip")))).toEqual([]);
  });

  test("benchmarks and examples end like tests", async () => {
    expect(await statuses(stream(run("BenchmarkA"), end("bench", "BenchmarkA"), pkgEnd("pass")))).toEqual([
      "BenchmarkA=passed",
    ]);
  });

  test("text without events is not a report of this kind", async () => {
    expect(await read("hello\n")).toBeUndefined();
  });
});
