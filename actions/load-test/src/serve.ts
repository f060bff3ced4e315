import type { MessagePort } from "node:worker_threads";
import { Generator } from "./generator.ts";
import type { News, Order } from "./messages.ts";

/** The life of a load thread: one plan after the other, until the main thread ends it. */
export function serveLoad(port: MessagePort): void {
  let running: Generator | undefined;
  const tell = (news: News) => port.postMessage(news);
  port.on("message", (order: Order) => {
    if (order.type === "stop") return running?.stop();
    running = new Generator(order.plan, tell);
    void running.run();
  });
  tell({ type: "ready" });
}
