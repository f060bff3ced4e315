import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { createSchema, type TestSchema } from "../database.ts";
import { json, send } from "../http.ts";
import { eventually, type ServiceProcess, startProcess, untilReady } from "../service-process.ts";

describe("the service as a process", () => {
  let schema: TestSchema;
  const started: ServiceProcess[] = [];
  before(async () => {
    schema = await createSchema();
  });
  afterEach(async () => {
    for (const service of started.splice(0)) {
      service.child.kill("SIGKILL");
      await service.exit;
    }
  });
  after(() => schema?.drop());
  const start = (env: Record<string, string> = {}, fd3?: number): ServiceProcess => {
    const service = startProcess({ ...schema.env, ...env }, [], fd3);
    started.push(service);
    return service;
  };
  /** The database at another address, which the test can open and shut. */
  const through = (port: number): Record<string, string> => {
    const { DATABASE_URL, ...env } = schema.env;
    if (!DATABASE_URL) return { ...env, HOST: "127.0.0.1", DBPORT: String(port) };
    const url = new URL(DATABASE_URL);
    url.host = `127.0.0.1:${port}`;
    return { DATABASE_URL: url.href };
  };

  test("two that start at once are both ready, and the migrations ran once", async () => {
    const both = [start(), start()];
    for (const service of both) await untilReady(await service.url());
    const outputs = both.map((service) => service.output()).join("");
    assert.equal(outputs.split('"migrations applied"').length - 1, 1, outputs);
  });

  test("SIGTERM: finishes what is in flight, refuses new connections, exits 0", async () => {
    const service = start();
    const url = await service.url();
    await untilReady(url);
    const client = await schema.pool.connect();
    await client.query("BEGIN; LOCK TABLE students IN ACCESS EXCLUSIVE MODE");
    const slow = send(`${url}/students`, "POST", { name: "Slow", document: "55555555555" });
    await eventually(async () => {
      const { rows } = await schema.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO students%'",
      );
      return rows[0] && true;
    }, "the request waits for the lock");
    service.child.kill("SIGTERM");
    await eventually(() => (service.output().includes('"msg":"stopping"') ? true : undefined), "stopping");
    await eventually(
      () =>
        fetch(`${url}/healthz`).then(
          () => undefined,
          () => true,
        ),
      "new connections refused",
    );
    assert.equal(service.child.exitCode, null);
    await client.query("COMMIT");
    client.release();
    const answer = await slow;
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get("connection"), "close");
    assert.equal(await service.exit, 0, service.output());
    assert.match(service.output(), /"msg":"stopped"/);
  });

  test("a request that does not end is cut after STOP_TIMEOUT, and the exit code says so", async () => {
    const service = start({ STOP_TIMEOUT: "1" });
    const url = await service.url();
    await untilReady(url);
    const client = await schema.pool.connect();
    await client.query("BEGIN; LOCK TABLE students IN ACCESS EXCLUSIVE MODE");
    const slow = fetch(`${url}/students`).then(
      () => "answered",
      () => "cut",
    );
    await eventually(async () => {
      const { rows } = await schema.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
      );
      return rows[0] && true;
    }, "the request waits for the lock");
    service.child.kill("SIGTERM");
    assert.equal(await slow, "cut");
    await client.query("ROLLBACK");
    client.release();
    assert.equal(await service.exit, 1);
    assert.match(service.output(), /stopped with 1 requests cut/);
  });

  test("idle and silent connections do not hold up a stop, and a busy one ends without an error", async () => {
    // So long that only the end of the idle grace can explain the exit.
    const service = start({ STOP_TIMEOUT: "600" });
    const url = await service.url();
    await untilReady(url);
    const silent = connect(Number(new URL(url).port), "127.0.0.1");
    await once(silent, "connect");
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        get(`${url}/bruno`, { agent }, (res) => {
          res.resume().once("end", () => resolve(res.headers.connection));
        }).once("error", reject);
      });
    assert.equal(await ask(), "keep-alive");
    service.child.kill("SIGTERM");
    await eventually(() => (service.output().includes('"msg":"stopping"') ? true : undefined), "stopping");
    assert.equal(await ask(), "close");
    assert.equal(await service.exit, 0);
  });

  test("serves on the socket that it is handed as descriptor 3", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const fd: unknown = Reflect.get(Reflect.get(server, "_handle"), "fd");
    assert.ok(typeof fd === "number");
    const service = start({ LISTEN_FDS: "1", PORT: "1" }, fd);
    assert.equal(await service.url(), `http://127.0.0.1:${port}`);
    server.close();
    await untilReady(`http://127.0.0.1:${port}`);
    service.child.kill("SIGTERM");
    assert.equal(await service.exit, 0);
  });

  test("lives without the database, says why it is not ready, and recovers", async () => {
    const relay = createRelay(schema.host, schema.port);
    const port = await relay.reserve();
    const service = start(through(port));
    const url = await service.url();
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    assert.equal((await fetch(`${url}/bruno`)).status, 200);
    const unready = await fetch(`${url}/readyz`);
    assert.equal(unready.status, 503);
    assert.match(await unready.text(), /"reason":"database: connect ECONNREFUSED/);
    const refused = await fetch(`${url}/students`);
    assert.equal(refused.status, 503);
    assert.equal((await json(refused))["code"], "DATABASE_UNAVAILABLE");
    await relay.open(port);
    await untilReady(url);
    relay.cut();
    await untilReady(url);
    assert.equal((await fetch(`${url}/students`)).status, 200);
    relay.close();
    service.child.kill("SIGTERM");
    assert.equal(await service.exit, 0, service.output());
    assert.doesNotMatch(service.output(), new RegExp(schema.env["PASSWORD"] || "never"));
  });

  test("migrates at start unasked, again when the tables vanish, and never when told not to", async () => {
    const own = await createSchema();
    const run = (env: Record<string, string>): ServiceProcess => {
      const service = startProcess({ ...own.env, ...env });
      started.push(service);
      return service;
    };
    try {
      const passive = await run({ MIGRATE_ON_START: "false" }).url();
      const unready = await fetch(`${passive}/readyz`);
      assert.equal(unready.status, 503);
      assert.match(await unready.text(), /2 of 2 migrations pending: not applied yet/);
      const active = run({});
      const applied = (): number => active.output().split('"migrations applied"').length - 1;
      await eventually(() => (applied() === 1 ? true : undefined), "migrations at start");
      await untilReady(passive);
      await own.pool.query("DROP TABLE students, schema_migrations");
      await untilReady(await active.url());
      // Ready may be answered before the line about it has come through the pipe.
      await eventually(() => (applied() === 2 ? true : undefined), "the second migration");
    } finally {
      await own.drop();
    }
  });

  test("without a configuration it says all that is missing and exits 1", async () => {
    const service = startProcess({ PORT: "eighty" });
    assert.equal(await service.exit, 1);
    for (const name of ["HOST", "USER", "PASSWORD", "DBNAME", "PORT"])
      assert.match(service.output(), new RegExp(`\`${name}\``));
    assert.equal(service.output().trim().split("\n").length, 1);
  });

  test("a port in use is named, and an unknown command as well", async () => {
    const first = start();
    const { port } = new URL(await first.url());
    const second = start({ PORT: port });
    assert.equal(await second.exit, 1);
    assert.match(second.output(), new RegExp(`127.0.0.1:${port} is in use by another process`));
    const wrong = startProcess(schema.env, ["serv"]);
    assert.equal(await wrong.exit, 2);
    assert.match(wrong.output(), /allowed are serve \(the default\) and migrate/);
  });
});

function createRelay(host: string, port: number) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const onward = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(end);
      end.pipe(other);
      end.on("error", () => other.destroy());
      end.on("close", () => {
        sockets.delete(end);
        other.destroy();
      });
    }
  });
  const listen = async (at: number): Promise<number> => {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  };
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    reserve: async () => {
      const free = await listen(0);
      server.close();
      await once(server, "close");
      return free;
    },
    open: listen,
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
}
