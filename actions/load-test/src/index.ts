import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runAction } from "../../../lib/action.ts";
import { parseInputs } from "./inputs.ts";
import { OUTPUTS } from "./outputs.ts";
import { run } from "./run.ts";

const thread = join(dirname(fileURLToPath(import.meta.url)), "worker", "index.js");
void runAction({
  name: "load-test",
  outputs: OUTPUTS,
  parse: parseInputs,
  run: (inputs, context) => run(inputs, context, thread),
});
