import { loadYaml } from "../yaml.ts";

// What the wrapper does before an action reads its inputs.
await loadYaml();
