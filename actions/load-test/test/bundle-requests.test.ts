import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "@jest/globals";
import { load, loadFor, resultOf, runner, withServer } from "./bundle.ts";
import { serveHttp } from "./server.ts";

afterAll(() => runner.dispose());

describe("requests", () => {
  test("weights, methods, bodies, headers and expectations", async () => {
    const seen = new Map<string, number>();
    let body = "";
    const server = serveHttp((request, response) => {
      const key = `${request.method} ${request.url}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      if (request.method !== "POST") return void response.end('{"items":[]}');
      request.on("data", (chunk: Buffer) => {
        body = `${request.headers["content-type"]} ${request.headers["x-key"]} ${chunk.toString("utf8")}`;
      });
      request.on("end", () => {
        response.statusCode = 201;
        response.end();
      });
    });
    const requests = `
- { path: /items, weight: 3, expect: { contains: items } }
- { method: POST, path: /items, body: { name: Zoë }, headers: { X-Key: secret-of-mine }, expect: { status: 201 } }
- { path: /none, weight: 1, name: wrong, expect: { contains: nothing like this } }
`;
    await withServer(server, async ({ url }) => {
      const step = await loadFor("fail", {
        url,
        requests,
        rate: "250",
        "ready-timeout": "0",
        thresholds: "errors<50%\nGET /items errors<1%\nwrong errors<10%",
      });
      expect(step.outputs).toMatchObject({ "error-rate": "20" });
      if (step.outputs["verdict"] === "fail") {
        expect(step.outputs["reason"]).toBe("wrong errors<10% is broken: 100 %");
      }
      expect(body).toBe('application/json secret-of-mine {"name":"Zoë"}');
      const rows = resultOf(step).endpoints.map(({ name, requests: count, failed }) => ({
        name,
        count,
        failed,
      }));
      expect(rows).toEqual([
        { name: "GET /items", count: 300, failed: 0 },
        { name: "POST /items", count: 100, failed: 0 },
        { name: "wrong", count: 100, failed: 100 },
      ]);
      expect(step.output).not.toMatch(/(?<!add-mask::)secret-of-mine/);
    });
  });

  test("a redirect to another host is not followed, one on the same host is", async () => {
    let strangers = 0;
    const other = await serveHttp((_request, response) => {
      strangers++;
      response.end();
    });
    let landed = 0;
    const server = serveHttp((request, response) => {
      if (request.url === "/end") landed++;
      else response.writeHead(302, { Location: request.url === "/away" ? `${other.url}/x` : "/end" });
      response.end();
    });
    const requests = "- path: /away\n- path: /near\n";
    await withServer(server, async ({ url }) => {
      const step = await load({ url, requests, "ready-timeout": "0" });
      await other.close();
      expect(strangers).toBe(0);
      expect(landed).toBe(100);
      expect(step.outputs["requests"]).toBe("200");
      expect(step.summary).toContain("100 answers redirected to another host");
    });
  });

  test.each([
    ["in a header", "", "/", "Authorization=Bearer top.secret.value", "Bearer top.secret.value /"],
    ["in the URL", "me:top.secret.value@", "/", "", `Basic ${btoa("me:top.secret.value")} /`],
    ["in a query", "", "/a?token=top.secret.value", "", " /a?token=top.secret.value"],
  ])("a secret %s reaches the target and nothing else", async (_name, user, path, headers, sent) => {
    const seen = new Set<string>();
    const server = serveHttp((request, response) => {
      seen.add(`${request.headers.authorization ?? ""} ${request.url}`);
      response.end();
    });
    await withServer(server, async ({ url }) => {
      const step = await load({ url: url.replace("//", `//${user}`), path, headers });
      expect([...seen]).toEqual([sent]);
      expect(step.masks.join("\n")).toContain("top.secret.value");
      const files = ["report", "result-path", "html-path"].map((name) =>
        readFileSync(step.outputs[name] ?? "", "utf8"),
      );
      const texts = [
        ...files,
        step.summary,
        JSON.stringify(step.outputs),
        step.output.replace(/^::add-mask::.*$/gm, ""),
      ];
      for (const text of texts) expect(text).not.toContain("top.secret.value");
    });
  });
});
