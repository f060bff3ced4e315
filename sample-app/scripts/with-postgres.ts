// Runs a command with HOST, USER, PASSWORD, DBNAME and DBPORT of a private PostgreSQL; exits as it exits.
import { runWithPostgres } from "./run-with-postgres.ts";

const [command, ...args] = process.argv.slice(2);
if (!command) {
  console.error("usage: node scripts/with-postgres.ts <command> [argument ...]");
  process.exitCode = 2;
} else {
  process.exitCode = await runWithPostgres(command, args, process.env);
}
