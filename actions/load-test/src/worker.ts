import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { serveLoad } from "./serve.ts";

// A generator that waits for a busy machine measures the machine: on Linux this asks the scheduler to
// wake this one thread before others. Only a privileged user may; without, send lag tells what it cost.
try {
  setPriority(0, -10);
} catch {}
if (parentPort) serveLoad(parentPort);
