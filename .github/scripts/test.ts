import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { countsOfJest, countsOfNodeTest, leaveCounts } from "./counts.ts";
import { actionNames, entriesOf, ROOT, TOOLS } from "./repository.ts";
import { run } from "./spawn.ts";

/*
 * All tests: those of this package under jest, then those of sample-app by its
 * own script. Bundle tests run what is in dist, as users do; whether dist is
 * what the sources give is asked by `make dist-check`.
 */
const unbuilt = actionNames().filter(
  (name) => entriesOf(name).length > 0 && !existsSync(join(ROOT, "actions", name, "dist/index.js")),
);
if (unbuilt.length > 0) {
  const built = await run([process.execPath, join(ROOT, ".github/scripts/dist.ts"), ...unbuilt], {
    show: true,
  });
  if (built.code !== 0) process.exitCode = 1;
}

const raw = join(TOOLS, "jest.json");
mkdirSync(TOOLS, { recursive: true });
rmSync(raw, { force: true });
const jest = await run(
  [
    process.execPath,
    "--experimental-vm-modules",
    "--disable-warning=ExperimentalWarning",
    join(ROOT, "node_modules/jest/bin/jest.js"),
    ...["--ci", "--json", `--outputFile=${raw}`, "--reporters=default"],
    ...process.argv.slice(2),
  ],
  { cwd: ROOT, show: true, timeoutMs: 1_800_000 },
);
const result: unknown = existsSync(raw) ? JSON.parse(readFileSync(raw, "utf8")) : undefined;
leaveCounts("jest", countsOfJest(result, jest.code));

const report = join(ROOT, "sample-app/reports/junit.xml");
rmSync(report, { force: true });
const sample = await run(["npm", "test"], { cwd: join(ROOT, "sample-app"), show: true, timeoutMs: 300_000 });
leaveCounts(
  "sample-app",
  countsOfNodeTest(existsSync(report) ? readFileSync(report, "utf8") : "", sample.code),
);
