import { connect as connectTcp, type Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Connection } from "./connect.ts";
import { connectFailed } from "./connect-errors.ts";
import type { Host } from "./hosts.ts";

/**
 * The byte stream under an SSH connection: TCP, or a channel of the jump host.
 * Nagle's algorithm is off: with it, each small write of ssh2 waits for the
 * peer's delayed acknowledgement.
 */
export async function openSocket(
  host: Host,
  timeoutMs: number,
  signal: AbortSignal,
  via?: Connection,
): Promise<Readable> {
  signal.throwIfAborted();
  if (via) {
    try {
      return await via.forward(host.address, host.port);
    } catch (error) {
      throw connectFailed(host, error, via.host.name);
    }
  }
  return new Promise<Socket>((resolve, reject) => {
    const socket = connectTcp({ host: host.address, port: host.port });
    const fail = (reason: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      reject(reason);
    };
    const onAbort = () => fail(signal.reason);
    const timer = setTimeout(
      () => fail(connectFailed(host, Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }))),
      timeoutMs,
    );
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", (error) => fail(connectFailed(host, error)));
    socket.once("connect", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.setNoDelay(true);
      socket.removeAllListeners("error");
      // ssh2 listens from here on; until it does, an error must not end the process.
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}
