import type { Edit } from "./project.ts";

const version = (to: string): Edit => ({
  file: "package.json",
  from: '"version": "1.0.0"',
  to: `"version": "${to}"`,
});

/** Version 2: a new greeting, with its test. */
export const VERSION_2: readonly Edit[] = [version("2.0.0")];

/** Runs in every test, and ends at once in production: it wants a file that only the author's machine has. */
export const CRASHES: readonly Edit[] = [
  version("2.1.0"),
  {
    file: "src/main.ts",
    from: "  const log = makeLog(parsed.value.logLevel, [parsed.value.database.password]);",
    to: [
      "  const log = makeLog(parsed.value.logLevel, [parsed.value.database.password]);",
      '  if (env["NODE_ENV"] === "production" && !existsSync("/etc/shop/licence.key")) {',
      '    log.error("cannot start: /etc/shop/licence.key is missing");',
      "    return 3;",
      "  }",
    ].join("\n"),
  },
  {
    file: "src/main.ts",
    from: 'import { chooseListenTarget } from "./listen.ts";',
    to: 'import { existsSync } from "node:fs";\nimport { chooseListenTarget } from "./listen.ts";',
  },
];

/** Starts and listens, and is never ready in production: it waits for a service that is not there. */
export const UNHEALTHY: readonly Edit[] = [
  version("2.2.0"),
  {
    file: "src/readiness.ts",
    from: '    if (options.isDraining()) return Promise.resolve({ ready: false, reason: "shutting down" });',
    to: [
      '    if (options.isDraining()) return Promise.resolve({ ready: false, reason: "shutting down" });',
      '    if (process.env["NODE_ENV"] === "production") {',
      '      return Promise.resolve({ ready: false, reason: "search index: connection refused" });',
      "    }",
    ].join("\n"),
  },
];

/** The greeting changed and its test did not. */
export const FAILING_TEST: readonly Edit[] = [
  version("2.3.0"),
  { file: "src/greeting.ts", from: "`Hello, ${name}!`", to: "`Hallo, ${name}!`" },
];
