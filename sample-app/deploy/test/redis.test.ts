import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort, makeFolder, ROOT, type Server, startServer, until } from "./servers.ts";

/** With what a shell or a configuration file could trip over. */
const PASSWORD = 'pa"ss\\ w$rd#';

describe("redis with its configuration", () => {
  const folder = makeFolder();
  let server: Server | undefined;
  let port = 0;

  beforeAll(async () => {
    port = await freePort();
    const conf = readFileSync(join(ROOT, "deploy/redis/redis.conf"), "utf8");
    const own = conf.replace("dir /data", `dir ${folder}`).replace("port 6379", `port ${port}`);
    expect(own).not.toContain("/data");
    writeFileSync(join(folder, "redis.conf"), own.replace("bind * -::*", "bind 127.0.0.1"));
    server = startServer("sh", [join(ROOT, "deploy/redis/start.sh")], {
      REDIS_CONFIG: join(folder, "redis.conf"),
      REDISCLI_AUTH: PASSWORD,
      TMPDIR: folder,
    });
    await until(
      async () => ((await say("PING")).includes("NOAUTH") ? true : undefined),
      () => server?.output() ?? "",
    );
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sends commands one after the other and returns the raw answers. */
  function say(...commands: (string | readonly string[])[]): Promise<string> {
    return new Promise((done, fail) => {
      const socket = createConnection(port, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => (text += String(chunk)));
      socket.once("error", fail).once("close", () => done(text));
      for (const command of [...commands, "QUIT"]) {
        const words = typeof command === "string" ? command.split(" ") : command;
        socket.write(
          `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`,
        );
      }
    });
  }

  test("answers nobody without the password, and its holder", async () => {
    expect(await say("GET x")).toContain("-NOAUTH");
    expect(await say(["AUTH", "wrong"])).toContain("-WRONGPASS");
    expect(await say(["AUTH", PASSWORD], "SET x 1", "GET x")).toMatch(/^\+OK\r\n\+OK\r\n\$1\r\n1\r\n/);
  });

  test("has the password in no process's arguments", () => {
    const line = readFileSync(`/proc/${server?.child.pid}/cmdline`, "utf8");
    expect(line).toContain("redis-server");
    expect(line).not.toContain("ss\\");
  });

  test("is bounded, drops the least used, and has no command that empties it", async () => {
    const auth = ["AUTH", PASSWORD];
    expect(await say(auth, "CONFIG GET maxmemory")).toContain(String(160 * 1024 * 1024));
    expect(await say(auth, "CONFIG GET maxmemory-policy")).toContain("allkeys-lru");
    expect(await say(auth, "CONFIG GET appendonly")).toContain("yes");
    for (const command of ["FLUSHALL", "FLUSHDB", "DEBUG SEGFAULT"]) {
      expect(await say(auth, command)).toContain("unknown command");
    }
  });
});
