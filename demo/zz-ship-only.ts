import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { startMachine, stopMachine } from "./machine.ts";
import { Progress } from "./progress.ts";
import { publishGoci, standIns } from "./project.ts";
import { showShipments } from "./ship.ts";
import { renderTable } from "./table.ts";

const CHECKOUT = resolve(import.meta.dirname, "..");
const folder = mkdtempSync("/tmp/goci-demo-");
mkdirSync(join(CHECKOUT, "demo/out"), { recursive: true });
const goci = join(folder, "goci");
publishGoci(CHECKOUT, goci);
const repositories = new Map([["org/goci@v1", goci], ...standIns(goci, join(folder, "stand-ins"))]);
const machine = await startMachine(folder);
const cancel = new AbortController();
try {
  const shown = await showShipments({
    checkout: CHECKOUT,
    folder,
    machine,
    repositories,
    progress: new Progress(),
    cancel: cancel.signal,
  });
  console.log(renderTable(shown));
} finally {
  await stopMachine(machine, folder);
  rmSync(folder, { recursive: true, force: true });
}
