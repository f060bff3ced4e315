import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Deliveries } from "./deliveries.ts";
import { showImages } from "./images.ts";
import { startMachine, stopMachine } from "./machine.ts";
import { renderPage } from "./page.ts";
import { Progress } from "./progress.ts";
import { publishGoci, standIns } from "./project.ts";
import { showShipments } from "./ship.ts";
import { showDelivery } from "./shown.ts";
import { FIRST, FOLLOWING } from "./stages.ts";
import { renderTable } from "./table.ts";

const CHECKOUT = resolve(import.meta.dirname, "..");
const OUT = join(CHECKOUT, "demo/out");

/** The story: one machine, one team, five commits. Returns whether every stage ended as promised. */
async function demo(folder: string, cancel: AbortSignal): Promise<boolean> {
  const progress = new Progress();
  progress.say("starting PostgreSQL and sshd");
  const goci = join(folder, "goci");
  publishGoci(CHECKOUT, goci);
  const repositories = new Map([["org/goci@v1", goci], ...standIns(goci, join(folder, "stand-ins"))]);
  const machine = await startMachine(folder);
  const deliveries = new Deliveries({ checkout: CHECKOUT, folder, machine, repositories, progress, cancel });
  cancel.addEventListener("abort", () => void deliveries.stop());
  try {
    const first = await deliveries.start(FIRST);
    await deliveries.built(first);
    // Every commit is built before the first is approved, so that no build disturbs the load.
    const approved = deliveries.finish(first);
    approved.catch(() => {}); // looked at below, when the others are built
    const following = await deliveries.startAll(FOLLOWING);
    const stages = [showDelivery(await approved)];
    for (const delivery of following) stages.push(showDelivery(await deliveries.finish(delivery)));
    stages.push(...(await showImages({ checkout: CHECKOUT, folder, repositories, progress, cancel })));
    const shipping = { checkout: CHECKOUT, folder, machine, repositories, progress, cancel };
    stages.push(...(await showShipments(shipping)));
    writeFileSync(join(OUT, "index.html"), renderPage(stages));
    console.log(`\n${renderTable(stages)}\n`);
    console.log(`${progress.elapsed()} in all; page: ${join(OUT, "index.html")}`);
    return stages.every((stage) => stage.broken.length === 0);
  } finally {
    await deliveries.stop();
    await stopMachine(machine, folder);
  }
}

const folder = mkdtempSync(join(tmpdir(), "goci-demo-"));
const cancel = new AbortController();
let signals = 0;
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    if (++signals === 1) console.log("\nstopping and cleaning up");
    cancel.abort();
  });
}
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
try {
  process.exitCode = (await demo(folder, cancel.signal)) ? 0 : 1;
} catch (error) {
  if (!cancel.signal.aborted) console.error(error);
  process.exitCode = cancel.signal.aborted ? 130 : 1;
} finally {
  if (process.env["KEEP"] !== "true") rmSync(folder, { recursive: true, force: true });
}
