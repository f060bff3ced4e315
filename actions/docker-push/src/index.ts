import "../../../lib/esm-shim.ts";
import { runAction } from "../../../lib/action.ts";
import { parseInputs } from "./inputs.ts";
import { OUTPUTS } from "./outputs.ts";
import { run } from "./run.ts";

void runAction({ name: "docker-push", outputs: OUTPUTS, parse: parseInputs, run });
