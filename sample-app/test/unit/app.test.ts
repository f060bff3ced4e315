import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { json, send, serveApp, type TestServer } from "../http.ts";
import { createMemoryStore } from "../memory-store.ts";

describe("HTTP", () => {
  let server: TestServer;
  let failure: Error | undefined;
  before(async () => {
    server = await serveApp(createMemoryStore(() => failure));
  });
  after(() => server.close());

  test("greets without the database", async () => {
    failure = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const response = await fetch(`${server.url}/bruno`);
    failure = undefined;
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { message: "Hello, bruno!" });
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  });

  test("says 404 to what is neither a page nor a name", async () => {
    for (const path of ["/.env", "/favicon.ico", "/%3Cscript%3E", `/${"a".repeat(65)}`, "/a/b"]) {
      assert.equal((await fetch(server.url + path)).status, 404, path);
    }
    assert.equal((await fetch(`${server.url}/%zz`)).status, 400);
  });

  test("answers with the version just deployed", async () => {
    const body = await json(await fetch(`${server.url}/version`));
    assert.deepEqual([body["version"], body["commit"], body["release"]], ["1.2.3", "abc", "7-abc"]);
  });

  test("is alive at / and /healthz", async () => {
    for (const path of ["/", "/healthz"]) assert.equal((await fetch(server.url + path)).status, 200, path);
  });

  test("creates, reads, changes and deletes", async () => {
    const created = await send(`${server.url}/students`, "POST", { name: "Ana", document: "12345678901" });
    assert.equal(created.status, 201);
    const url = server.url + created.headers.get("location");
    const patched = await json(await send(url, "PATCH", { email: "ana@example.org" }));
    assert.deepEqual([patched["name"], patched["email"]], ["Ana", "ana@example.org"]);
    const replaced = await json(await send(url, "PUT", { name: "Eva", document: "12345678901" }));
    assert.deepEqual([replaced["name"], replaced["email"]], ["Eva", null]);
    assert.equal((await fetch(`${server.url}/students/document/12345678901`)).status, 200);
    assert.equal((await fetch(url, { method: "DELETE" })).status, 204);
    assert.equal((await fetch(url)).status, 404);
    assert.equal((await fetch(url, { method: "DELETE" })).status, 404);
  });

  for (const [what, method, path, body, status, code] of [
    ["broken JSON", "POST", "/students", '{"na', 400, "INVALID_JSON"],
    ["an empty body", "POST", "/students", "", 400, "INVALID"],
    ["an array", "POST", "/students", "[]", 400, "INVALID"],
    ["a large body", "POST", "/students", `"${"x".repeat(20_000)}"`, 413, "TOO_LARGE"],
    ["a bad id", "PUT", "/students/x", "{}", 400, "INVALID"],
    ["no such student", "PATCH", "/students/999", "{}", 404, "NOT_FOUND"],
    ["a wrong method", "PUT", "/students", "{}", 405, "METHOD_NOT_ALLOWED"],
  ] as const) {
    test(`answers ${what} with ${status} ${code}`, async () => {
      const response = await send(server.url + path, method, body);
      const problem = await json(response);
      assert.equal(response.status, status);
      assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
      assert.deepEqual([problem["status"], problem["code"]], [status, code]);
      assert.ok(typeof problem["detail"] === "string" && problem["detail"] !== "");
    });
  }

  test("refuses a body that is not declared as JSON", async () => {
    const response = await fetch(`${server.url}/students`, { method: "POST", body: "{}" });
    assert.equal(response.status, 415);
  });

  test("names every wrong field", async () => {
    const problem = await json(await send(`${server.url}/students`, "POST", { name: 1, email: "x" }));
    assert.ok(Array.isArray(problem["errors"]));
    assert.deepEqual(problem["errors"].map((error) => error.field).sort(), ["document", "email", "name"]);
  });

  test("tells apart a database that is away, a duplicate and a fault of its own", async () => {
    const ask = async (error: Error): Promise<[number, unknown, string]> => {
      failure = error;
      const response = await send(`${server.url}/students`, "POST", { name: "Ana", document: "12345678901" });
      failure = undefined;
      const text = await response.text();
      return [response.status, JSON.parse(text).code, text];
    };
    const away = await ask(
      Object.assign(new Error("connect ECONNREFUSED 10.0.0.9:5432"), { code: "ECONNREFUSED" }),
    );
    assert.deepEqual(away.slice(0, 2), [503, "DATABASE_UNAVAILABLE"]);
    const duplicate = await ask(
      Object.assign(new Error("x"), { code: "23505", constraint: "students_document_unique" }),
    );
    assert.deepEqual(duplicate.slice(0, 2), [409, "DUPLICATE"]);
    const fault = await ask(new Error("inner detail"));
    assert.deepEqual(fault.slice(0, 2), [500, "INTERNAL"]);
    assert.doesNotMatch(away[2] + fault[2], /10\.0\.0\.9|inner detail/);
  });

  test("logs one line a request, without queries and document numbers", async () => {
    const id = "test-request-1";
    await fetch(`${server.url}/students/document/99999999999?token=hidden`, {
      headers: { "X-Request-Id": id },
    });
    await fetch(`${server.url}/bruno?token=hidden`, { headers: { "X-Request-Id": id } });
    const lines = server.lines().filter((line) => line["requestId"] === id);
    assert.equal(lines.length, 2);
    assert.equal(lines[0]?.["status"], 404);
    assert.equal(lines[0]?.["route"], "/students/document/:document");
    assert.doesNotMatch(JSON.stringify(lines), /hidden|99999999999/);
  });

  test("makes its own request id when the one sent could forge a line", async () => {
    const response = await fetch(server.url, { headers: { "X-Request-Id": 'a","level":"error' } });
    assert.match(response.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
  });

  test("counts by route, status and method, with a bounded number of series", async () => {
    for (const name of ["eva", "rui", "zoe"]) await fetch(`${server.url}/${name}`);
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.end("PROPFIND / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    socket.resume();
    await once(socket, "close");
    const text = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(text, /^http_requests_total\{method="GET",route="\/:name",status="200"\} \d+$/m);
    assert.match(text, /^http_requests_total\{method="OTHER",route="\/",status="405"\} 1$/m);
    assert.match(text, /^http_request_duration_seconds_bucket\{.*le="\+Inf"\} \d+$/m);
    assert.doesNotMatch(text, /zoe|PROPFIND/);
  });

  test("the API document and the routes are the same list", async () => {
    const document = await json(await fetch(`${server.url}/openapi.json`));
    assert.equal(Reflect.get(document["info"] ?? {}, "version"), "1.2.3");
    const paths = Object.entries(document["paths"] ?? {});
    assert.equal(paths.length, 10);
    for (const [path, operations] of paths) {
      const url =
        server.url + path.replace("{id}", "1").replace("{document}", "11111111111").replace("{name}", "eva");
      // 405 names what the path has, so the two lists can be compared whole.
      const allow = (await fetch(url, { method: "OPTIONS" })).headers.get("allow") ?? "";
      const documented = Object.keys(operations).map((method) => method.toUpperCase());
      assert.deepEqual(
        allow
          .split(", ")
          .filter((method) => method !== "HEAD")
          .sort(),
        documented.sort(),
        path,
      );
    }
  });
});
