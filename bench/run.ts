import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type Bench, type Row, renderRows } from "./bench.ts";

/** Every benchmark, in the order in which they run: one after the other, so that none disturbs another. */
const MODULES = ["startup", "sample-app", "load", "upload", "docker", "ecs"];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !MODULES.includes(name));

if (unknown.length > 0) {
  console.error(`${unknown.join(", ")}: no such benchmark; there are ${MODULES.join(", ")}`);
  process.exitCode = 2;
} else {
  console.log(
    `Node ${process.version} on ${availableParallelism()} cores. Ratios count; absolute values are this machine's.\n`,
  );
  const rows: Row[] = [];
  for (const name of wanted.length > 0 ? wanted : MODULES) rows.push(...(await measure(name)));
  console.log(`\n${renderRows(rows)}`);
}

async function measure(name: string): Promise<Row[]> {
  const file = new URL(`./${name}.ts`, import.meta.url);
  if (!existsSync(file))
    return [{ what: name, value: Number.NaN, unit: "", note: `bench/${name}.ts is missing` }];
  const startedAt = performance.now();
  try {
    const { bench } = (await import(file.href)) as { bench: Bench };
    const rows = await bench.run();
    console.log(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    return rows;
  } catch (error) {
    process.exitCode = 1;
    return [{ what: name, value: Number.NaN, unit: "", note: `failed: ${String(error)}` }];
  }
}
