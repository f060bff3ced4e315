import { chmodSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../lib/clock.ts";
import { candidateFolders, findPreinstalled } from "../src/database/binaries.ts";
import { databaseEnv } from "../src/database/database.ts";
import { SERVER_FOLDER, serverFolderName } from "../src/database/folder.ts";
import { canReach, choosePlace, serverAccount, thisMachinesAccount } from "../src/database/place.ts";
import { processesIn, removeServer } from "../src/database/processes.ts";
import { Scram } from "../src/database/scram.ts";
import { type ServerOptions, startServer } from "../src/database/server.ts";
import { queryOnce } from "../src/database/wire.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "goci-database-"));
  chmodSync(folder, 0o755);
});

afterEach(async () => {
  await removeServer(folder, systemClock);
});

describe("SCRAM-SHA-256", () => {
  // The example of RFC 7677 section 3, whose user name is told in the first message; here it is empty.
  test("proves the password and checks the server's proof", () => {
    const scram = new Scram("pencil", "rOprNGfwEbeRWgbNEkqO");
    expect(scram.first()).toBe("n,,n=,r=rOprNGfwEbeRWgbNEkqO");
    const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const final = scram.final(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`);
    expect(final).toMatch(/^c=biws,r=.*,p=[A-Za-z0-9+/]{43}=$/);
    expect(() => scram.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")).toThrow(/did not prove/);
  });

  test("a server that answers with another nonce is refused", () => {
    expect(() => new Scram("p", "mine").final("r=other,s=AAAA,i=4096")).toThrow(/not valid/);
  });
});

describe("who and where", () => {
  const PASSWD = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n";

  test("root hands over to postgres, else to nobody; others stay who they are", () => {
    expect(serverAccount(0, `${PASSWD}postgres:x:101:104::/var/lib/postgresql:/bin/sh\n`)).toEqual({
      name: "postgres",
      uid: 101,
      gid: 104,
    });
    expect(serverAccount(0, PASSWD)).toEqual({ name: "nobody", uid: 65_534, gid: 65_534 });
    expect(serverAccount(1000, PASSWD)).toBeUndefined();
  });

  test("a folder below one that is closed to the account cannot be reached", () => {
    const account = { name: "nobody", uid: 65_534, gid: 65_534 };
    mkdirSync(join(folder, "closed/open"), { recursive: true });
    chmodSync(join(folder, "closed"), 0o700);
    expect(canReach(folder, account)).toBe(true);
    expect(canReach(join(folder, "closed/open"), account)).toBe(false);
    expect(choosePlace([join(folder, "closed/open"), join(folder, "missing"), folder], account)).toBe(folder);
    expect(choosePlace([join(folder, "closed/open")], account)).toBeUndefined();
  });

  test("the newest version that is installed comes first", () => {
    const list = (parent: string) => (parent === "/usr/lib/postgresql" ? ["9", "16", "14", "common"] : []);
    expect(candidateFolders({ PATH: "/nowhere" }, list)).toEqual([
      "/usr/lib/postgresql/16/bin",
      "/usr/lib/postgresql/14/bin",
      "/usr/lib/postgresql/9/bin",
      "/nowhere",
    ]);
  });

  test("only folders with names of ours are ever removed", () => {
    expect(SERVER_FOLDER.test(`/tmp/${serverFolderName()}`)).toBe(true);
    for (const path of [
      "/",
      "/tmp",
      "/tmp/goci-postgres-1",
      "/tmp/../goci-postgres-0123456789abcdef",
      "goci-postgres-0123456789abcdef",
    ]) {
      expect(SERVER_FOLDER.test(path)).toBe(false);
    }
  });

  test("`database-env` names parts; the host is never `localhost`", () => {
    const login = { port: 5, user: "u@x", password: "p:/ä", database: "d b" };
    const map = new Map([
      ["H", "host"],
      ["P", "port"],
      ["U", "user"],
      ["W", "password"],
      ["D", "database"],
      ["URL", "url"],
    ]);
    expect(databaseEnv(map, login)).toEqual({
      H: "127.0.0.1",
      P: "5",
      U: "u@x",
      W: "p:/ä",
      D: "d b",
      URL: "postgres://u%40x:p%3A%2F%C3%A4@127.0.0.1:5/d%20b",
    });
  });
});

describe("a private PostgreSQL", () => {
  async function options(known: Partial<ServerOptions> = {}): Promise<ServerOptions> {
    const binaries = await findPreinstalled("any", process.env);
    if (!binaries) throw new Error("these tests need PostgreSQL on the machine");
    return {
      binaries,
      folder: join(folder, "server"),
      account: thisMachinesAccount(),
      user: "odd user-é",
      password: "p'w \\ä%",
      database: 'na"me',
      settings: new Map([
        ["max_connections", "17"],
        ["log_line_prefix", "it's \\ "],
      ]),
      clock: systemClock,
      signal: new AbortController().signal,
      ...known,
    };
  }

  test("answers with odd names, its settings and several statements, and refuses a wrong password", async () => {
    const login = await startServer(await options());
    expect(await queryOnce(login, "SELECT current_user, current_database()", 5000)).toEqual([
      ["odd user-é", 'na"me'],
    ]);
    expect(await queryOnce(login, "SHOW max_connections", 5000)).toEqual([["17"]]);
    expect(await queryOnce(login, "SHOW log_line_prefix", 5000)).toEqual([["it's \\ "]]);
    expect(await queryOnce(login, "SHOW unix_socket_directories", 5000)).toEqual([[""]]);
    expect(
      await queryOnce(
        login,
        "CREATE TABLE t (a text); INSERT INTO t VALUES (NULL), ('ö'); SELECT a FROM t",
        5000,
      ),
    ).toEqual([[null], ["ö"]]);
    await expect(queryOnce(login, "SELEC 1", 5000)).rejects.toThrow(/42601: syntax error/);
    await expect(queryOnce(login, "CREATE TABLE c (a int); COPY c FROM STDIN", 5000)).rejects.toThrow(
      /COPY FROM STDIN/,
    );
    await expect(queryOnce({ ...login, password: "wrong" }, "SELECT 1", 5000)).rejects.toThrow(/28P01/);
  });

  test("a setting that it refuses is a failure with the server's own words, and nothing stays", async () => {
    const started = startServer(await options({ settings: new Map([["max_connections", "many"]]) }));
    await expect(started).rejects.toMatchObject({
      code: "DATABASE_FAILED",
      evidence: expect.arrayContaining([expect.stringContaining("max_connections")]),
    });
    expect(processesIn(folder)).toEqual([]);
  });

  test("a cancel while it starts is a cancel", async () => {
    const cancel = new AbortController();
    const started = startServer(await options({ signal: cancel.signal }));
    cancel.abort(new Error("cancelled"));
    await expect(started).rejects.toThrow("cancelled");
  });

  test("is stopped and removed, and a second time is no error", async () => {
    await startServer(await options());
    expect(processesIn(folder).length).toBeGreaterThan(0);
    expect(await removeServer(folder, systemClock)).toEqual([]);
    expect([existsSync(folder), processesIn(folder)]).toEqual([false, []]);
    expect(await removeServer(folder, systemClock)).toEqual([]);
  });
});
