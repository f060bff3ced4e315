import { Failure } from "../../../lib/errors.ts";

/** The failure that this work ends in, as `CODE: message`. */
export async function failureOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "";
  } catch (error) {
    return error instanceof Failure ? `${error.code}: ${error.message}` : String(error);
  }
}
