// Runs the tests: console, reports/junit.xml, coverage/lcov.info, and an exit code that tells the truth.
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runCommand, runWithPostgres } from "./run-with-postgres.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const REPORTS = ["reports/junit.xml", "coverage/lcov.info"];

function nodeArguments(folders: readonly string[]): string[] {
  return [
    "--test",
    "--test-timeout=60000",
    "--experimental-test-coverage",
    "--test-coverage-include=src/**",
    ...["spec", "junit", "lcov"].map((name) => `--test-reporter=${name}`),
    ...["stdout", ...REPORTS].map((place) => `--test-reporter-destination=${place}`),
    ...folders.map((folder) => `test/${folder}/**/*.test.ts`),
  ];
}

async function main(kinds: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const wrong = kinds.filter((kind) => kind !== "unit" && kind !== "integration");
  if (wrong.length > 0) {
    console.error(`unknown kind of test "${wrong.join(" ")}": allowed are unit, integration`);
    return 2;
  }
  process.chdir(root);
  // What an earlier run left must not pass for the result of this one.
  for (const folder of ["reports", "coverage"]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }
  const folders = kinds.length > 0 ? kinds : ["unit", "integration"];
  const args = nodeArguments(folders);
  const given = env["DATABASE_URL"] || (env["HOST"] && env["DBNAME"]);
  const alone = given || !folders.includes("integration");
  const code = alone
    ? await runCommand(process.execPath, args, env)
    : await runWithPostgres(process.execPath, args, env);
  const missing = REPORTS.filter((file) => !existsSync(file) || statSync(file).size === 0);
  if (code === 0 && missing.length > 0) {
    console.error(`the tests left no ${missing.join(", ")}`);
    return 1;
  }
  return code;
}

process.exitCode = await main(process.argv.slice(2), process.env);
