import { parentPort } from "node:worker_threads";
import { serveLoad } from "./serve.ts";

if (parentPort) serveLoad(parentPort);
