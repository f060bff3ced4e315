import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ServiceProcess } from "../../test/service-process.ts";
import {
  freePort,
  makeFolder,
  ROOT,
  runProgram,
  type Server,
  startInstance,
  startServer,
  stopInstance,
  until,
} from "./servers.ts";

const read = (name: string) => readFileSync(join(ROOT, "deploy/nginx", name), "utf8");

/** Replaces what stands in the file exactly so often; the test must not run another file than the one shipped. */
function swap(text: string, from: string, to: string, times = 1): string {
  const parts = text.split(from);
  if (parts.length !== times + 1)
    throw new Error(`"${from}" stands ${parts.length - 1} times, expected ${times}`);
  return parts.join(to);
}

describe("nginx before two replicas", () => {
  const folder = makeFolder();
  let one: (ServiceProcess & { port: number }) | undefined;
  let two: (ServiceProcess & { port: number }) | undefined;
  let nginx: Server | undefined;
  let http = 0;
  let https = 0;

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    [one, two] = await Promise.all([startInstance("replica-1"), startInstance("replica-2")]);
    [http, https] = [await freePort(), await freePort()];
    for (const name of ["tls", "tmp", "logs"]) mkdirSync(join(folder, name));
    const made = runProgram("sh", [join(ROOT, "deploy/nginx/certificate.sh")], {
      TLS_USED: join(folder, "tls"),
      TLS_GIVEN: folder,
    });
    expect(made).toEqual({ code: 0, output: expect.stringContaining("made for localhost") });
    let conf = swap(read("nginx.conf"), " /tmp/", ` ${folder}/tmp/`, 6);
    conf = swap(conf, "listen 8080;", `listen 127.0.0.1:${http};`);
    conf = swap(conf, "listen 8443 ssl;", `listen 127.0.0.1:${https} ssl;`);
    conf = swap(conf, "https://$host:8443", `https://$host:${https}`);
    conf = swap(conf, "/run/tls/", `${folder}/tls/`, 2);
    // A test's own log, since /dev/stdout cannot be opened where it is a socket.
    conf = swap(conf, "/dev/stdout", `${folder}/logs/access`);
    conf = swap(conf, "error_log stderr", `error_log ${folder}/logs/error`);
    writeFileSync(join(folder, "nginx.conf"), conf);
    const upstreams = swap(read("upstreams.conf"), "app-1:8000", `127.0.0.1:${one.port}`);
    writeFileSync(join(folder, "upstreams.conf"), swap(upstreams, "app-2:8000", `127.0.0.1:${two.port}`));
    const args = ["-p", folder, "-c", join(folder, "nginx.conf")];
    expect(runProgram("nginx", [...args, "-t"])).toEqual({
      code: 0,
      output: expect.stringContaining("test is successful"),
    });
    nginx = startServer("nginx", [...args, "-g", "daemon off;"]);
    await until(
      async () => ((await fetch(`http://127.0.0.1:${http}/nginx-health`)).ok ? true : undefined),
      () => nginx?.output() ?? "",
    );
  });

  afterAll(async () => {
    await nginx?.stop();
    await Promise.all([stopInstance(one), stopInstance(two)]);
    rmSync(folder, { recursive: true, force: true });
  });

  function get(
    path: string,
    method = "GET",
  ): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
    const ca = readFileSync(join(folder, "tls/tls.crt"));
    return new Promise((done, fail) => {
      const sent = request(
        { host: "127.0.0.1", port: https, path, method, ca, servername: "localhost" },
        (response) => {
          let body = "";
          response.on("data", (chunk) => (body += String(chunk)));
          response.on("end", () =>
            done({ status: response.statusCode ?? 0, body, headers: response.headers }),
          );
        },
      );
      sent.on("error", fail).end();
    });
  }

  const releaseOf = async () => (JSON.parse((await get("/version")).body) as { release: string }).release;

  test("speaks TLS with a certificate for its name, and says so to browsers", async () => {
    const answer = await get("/bruno");
    expect(answer).toMatchObject({ status: 200, body: '{"message":"Hello, bruno!"}' });
    expect(answer.headers["strict-transport-security"]).toBe("max-age=31536000");
    expect(answer.headers["server"]).toBe("nginx");
    expect(statSync(join(folder, "tls/tls.key")).mode & 0o077).toBe(0);
  });

  test("sends plain HTTP to HTTPS, method and path kept", async () => {
    const answer = await fetch(`http://127.0.0.1:${http}/students?limit=1`, {
      method: "POST",
      redirect: "manual",
    });
    expect(answer.status).toBe(308);
    expect(answer.headers.get("location")).toBe(`https://127.0.0.1:${https}/students?limit=1`);
  });

  test("keeps the metrics to itself", async () => {
    expect((await get("/metrics")).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${one?.port}/metrics`)).status).toBe(200);
  });

  test("shares the requests out, and loses none when a replica goes", async () => {
    const before = await Promise.all(Array.from({ length: 20 }, releaseOf));
    expect(new Set(before)).toEqual(new Set(["replica-1", "replica-2"]));
    await stopInstance(two);
    const after = [];
    for (let i = 0; i < 20; i++) after.push(await releaseOf());
    expect(new Set(after)).toEqual(new Set(["replica-1"]));
  });

  test("logs neither queries nor bodies, and which replica answered", async () => {
    await get("/bruno?document=12345678901");
    const log = () => readFileSync(join(folder, "logs/access"), "utf8");
    const line = await until(
      async () =>
        log()
          .trim()
          .split("\n")
          .findLast((one) => one.includes('"/bruno"')),
      log,
    );
    expect(JSON.parse(line)).toMatchObject({
      path: "/bruno",
      status: 200,
      upstream: expect.stringContaining(`127.0.0.1:${one?.port}`),
    });
    expect(log()).not.toContain("12345678901");
  });

  test("takes a given certificate in place of one of its own", () => {
    for (const name of ["given", "used"]) mkdirSync(join(folder, name));
    for (const name of ["tls.crt", "tls.key"]) writeFileSync(join(folder, "given", name), `my ${name}`);
    const env = { TLS_USED: join(folder, "used"), TLS_GIVEN: join(folder, "given") };
    expect(runProgram("sh", [join(ROOT, "deploy/nginx/certificate.sh")], env).code).toBe(0);
    expect(readFileSync(join(folder, "used/tls.key"), "utf8")).toBe("my tls.key");
  });
});
