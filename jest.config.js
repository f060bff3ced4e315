/** Tests run as ES modules; swc only strips the types (TypeScript itself checks them in `make check`). */
export default {
  testEnvironment: "node",
  testMatch: [
    "<rootDir>/lib/**/*.test.ts",
    "<rootDir>/actions/*/test/**/*.test.ts",
    "<rootDir>/demo/**/*.test.ts",
    "<rootDir>/sample-app/deploy/test/*.test.ts",
    "<rootDir>/.github/scripts/**/*.test.ts",
  ],
  testPathIgnorePatterns: ["/node_modules/", "/dist/", "/build/"],
  modulePathIgnorePatterns: [
    "<rootDir>/build/",
    "<rootDir>/sample-app/build",
    "<rootDir>/sample-app/node_modules",
    "<rootDir>/.tools/",
  ],
  setupFiles: ["<rootDir>/lib/testing/with-yaml.ts"],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "es6" } },
    ],
  },
  testTimeout: 60000,
  maxWorkers: 2,
};
