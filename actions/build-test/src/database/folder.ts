import { randomBytes } from "node:crypto";

/** The name under which the post step finds the server's folder. */
export const DATABASE_STATE = "database";

/** An absolute path that ends in a name of ours. */
export const SERVER_FOLDER = /^\/(?:(?!\.\.(?:\/|$))[^\0])*\/goci-postgres-[0-9a-f]{16}$/;

/** A folder name that nobody can guess or meet by accident. */
export function serverFolderName(): string {
  return `goci-postgres-${randomBytes(8).toString("hex")}`;
}
