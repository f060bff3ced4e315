import type { ResultDocument } from "./result.ts";

/** stub */
export function pageOf(result: ResultDocument): string {
  return `<!doctype html><title>load test ${result.verdict}</title>`;
}
