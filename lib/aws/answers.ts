import type { JsonObject } from "./call.ts";

/**
 * A member of an answer that should be a list; anything else is an empty one. The
 * type is the caller's claim: AWS's published model says so, nothing here checks it,
 * and so each member of `T` should be optional.
 */
export function list<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? value : [];
}

/** A member of an answer that should be an object; anything else is an empty one. As for `list`. */
export function object<T extends object>(value: unknown): T {
  return (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {}) as T;
}

/** Guards against a service that answers the same token for ever. */
const MOST_PAGES = 1000;

/**
 * All items of a paged list. `ask` is given what to merge into its input: nothing
 * first, then the token that the last page named. `token` is how the input and the answer call it.
 */
export async function pages<T>(
  member: string,
  ask: (token: JsonObject) => Promise<JsonObject>,
  token = "nextToken",
): Promise<readonly T[]> {
  const found: T[] = [];
  let next: JsonObject = {};
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await ask(next);
    found.push(...list<T>(answer[member]));
    const following = answer[token];
    if (typeof following !== "string" || following === "" || following === next[token]) break;
    next = { [token]: following };
  }
  return found;
}
