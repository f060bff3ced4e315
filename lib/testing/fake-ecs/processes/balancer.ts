import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FakeTask } from "../ecs/state.ts";

/** A task that the balancer can send a request to. */
export interface Target {
  readonly task: FakeTask;
  readonly port: number;
}

/** Where the targets of a moment come from: a group of deployments and how the traffic is shared. */
export interface Pool {
  readonly targets: readonly Target[];
  /** Parts of the traffic by deployment id; absent: all targets are equal. */
  readonly weights?: ReadonlyMap<string, number>;
}

/** A load balancer that listens. */
export interface Balancer {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Requests that it could not hand to a target. */
  readonly refused: () => number;
  close(): Promise<void>;
}

/**
 * A small HTTP balancer: requests go round the healthy targets; when there is none,
 * to the unhealthy ones, as an ALB does ("fail open"); with no target at all 503. To
 * the targets each request has a connection of its own, so that a target which goes
 * away never takes a request with it that was only about to be sent.
 */
export async function startBalancer(pool: () => Pool, port = 0): Promise<Balancer> {
  let turn = 0;
  let refused = 0;
  const server = createServer((incoming, outgoing) => {
    const target = choose(pool(), turn++);
    if (target) forward(target, incoming, outgoing, () => (refused += 1));
    else {
      refused += 1;
      outgoing.writeHead(503, { "content-type": "text/plain" }).end("no target is registered\n");
    }
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused: () => refused,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The target whose turn it is. */
export function choose({ targets, weights }: Pool, turn: number): Target | undefined {
  const healthy = targets.filter(({ task }) => task.target.state === "healthy");
  const open = healthy.length > 0 ? healthy : targets.filter(({ task }) => task.target.state === "unhealthy");
  const side = weights && sideOf(weights, turn);
  const preferred = side === undefined ? open : open.filter(({ task }) => task.deployment?.id === side);
  const from = preferred.length > 0 ? preferred : open;
  return from[turn % Math.max(1, from.length)];
}

/** The deployment whose turn it is, in a cycle of 100 requests that is mixed well. */
function sideOf(weights: ReadonlyMap<string, number>, turn: number): string | undefined {
  let position = (turn * 37) % 100;
  for (const [id, weight] of weights) {
    if (position < weight) return id;
    position -= weight;
  }
  return undefined;
}

function forward(
  target: Target,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  count: () => void,
): void {
  const { connection, ...headers } = incoming.headers;
  void connection;
  const upstream = request({
    host: "127.0.0.1",
    port: target.port,
    method: incoming.method,
    path: incoming.url,
    headers: { ...headers, "x-forwarded-for": incoming.socket.remoteAddress ?? "" },
    agent: false,
  });
  upstream.once("response", (answer) => {
    const { connection: theirs, "keep-alive": keepAlive, ...kept } = answer.headers;
    void [theirs, keepAlive];
    outgoing.writeHead(answer.statusCode ?? 502, kept);
    answer.pipe(outgoing);
    answer.once("error", () => outgoing.destroy());
  });
  upstream.once("error", () => {
    count();
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(502, { "content-type": "text/plain" }).end("the target did not answer\n");
  });
  outgoing.once("close", () => upstream.destroy());
  incoming.pipe(upstream);
}
