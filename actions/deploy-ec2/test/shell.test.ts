import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../lib/clock.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { type RunningSshd, startSshd } from "../../../lib/testing/sshd.ts";
import { type Connection, connect } from "../src/connect.ts";
import { type Pins, parseKnownHosts } from "../src/host-keys.ts";
import { loadKey } from "../src/private-key.ts";
import { HostShell, quote } from "../src/shell.ts";

describe("HostShell over a real sshd", () => {
  let sshd: RunningSshd;
  let connection: Connection;

  beforeAll(async () => {
    sshd = await startSshd();
    const known = parseKnownHosts(sshd.knownHosts);
    const pins: Pins = { knownHosts: known.ok ? known.lines : [], fingerprints: [], acceptAny: false };
    const host = { name: "one", address: "127.0.0.1", port: sshd.port, username: sshd.username };
    const login = { key: await loadKey("key", sshd.key, ""), pins, timeoutMs: 10_000 };
    const ports = { clock: systemClock, log: new RecordingLog(), signal: new AbortController().signal };
    connection = await connect(host, login, ports);
  });

  afterAll(async () => {
    connection.close();
    await sshd.stop();
  });

  test("calls are answered in order, each with its own output, errors and exit code", async () => {
    const shell = await HostShell.open(connection, 'greet() { echo "hello $1"; }', false);
    const answers = await Promise.all([
      shell.run("greet one"),
      shell.run("echo bad >&2; exit 7"),
      shell.run(`printf '%s' ${quote('it\'s $HOME `x` "q"\nnext')}`),
      shell.run("cat"),
    ]);
    expect(answers.map((answer) => [answer.code, answer.stdout, answer.stderr])).toEqual([
      [0, "hello one\n", ""],
      [7, "", "bad"],
      [0, 'it\'s $HOME `x` "q"\nnext', ""],
      [0, "", ""],
    ]);
    shell.close();
  });

  test("a script that is cut off by the end of the connection does not run in part", async () => {
    const shell = await connection.exec("exec sh -s");
    const output: string[] = [];
    shell.on("data", (chunk: Buffer) => output.push(String(chunk)));
    await new Promise((resolve) => {
      shell.on("close", resolve);
      shell.end("(\necho started\necho rm -rf /opt/ap");
    });
    expect(output.join("")).toBe("");
  });

  test("a call that takes too long is given up with a reason", async () => {
    const shell = await HostShell.open(connection, ":", false);
    await expect(shell.run("sleep 5", 200)).rejects.toMatchObject({ code: "CONNECT_FAILED" });
  });
});
