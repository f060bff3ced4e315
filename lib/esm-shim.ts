import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/*
 * ES modules have no `__dirname`, but the WebAssembly loader inside ssh2 reads
 * it, even after a connection has ended well. An entry that loads ssh2, however
 * late, imports this file first.
 */
const file = fileURLToPath(import.meta.url);
Object.assign(globalThis, { __filename: file, __dirname: dirname(file) });
