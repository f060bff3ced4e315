import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { dirname, parse } from "node:path";

/** A user of the system, as numbers. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who runs the server: PostgreSQL refuses root, so root hands over to
 * `postgres` where that user exists, else to `nobody`. Undefined: as we are.
 */
export function serverAccount(uid: number | undefined, passwd: string): Account | undefined {
  if (uid !== 0) return undefined;
  const accounts = new Map<string, Account>();
  for (const line of passwd.split("\n")) {
    const [name = "", , user, group] = line.split(":");
    if (name && Number(user) > 0) accounts.set(name, { name, uid: Number(user), gid: Number(group) });
  }
  return accounts.get("postgres") ?? accounts.get("nobody") ?? { name: "65534", uid: 65_534, gid: 65_534 };
}

/** The account of this machine for this process. */
export function thisMachinesAccount(): Account | undefined {
  const uid = process.getuid?.();
  return uid === 0 ? serverAccount(uid, readFileSync("/etc/passwd", "utf8")) : undefined;
}

/** Whether the account may pass through every folder above `path`, and into it. */
export function canReach(path: string, account: Account | undefined): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (!canEnter(at, account)) return false;
    if (at === parse(at).root) return true;
  }
}

function canEnter(path: string, account: Account | undefined): boolean {
  try {
    if (!account) {
      accessSync(path, constants.X_OK);
      return true;
    }
    const { mode, uid, gid } = statSync(path);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    return ((mode >> shift) & 1) === 1;
  } catch {
    return false;
  }
}

/** The first folder in which a server's folder can be made and reached; undefined when there is none. */
export function choosePlace(candidates: readonly string[], account: Account | undefined): string | undefined {
  return candidates.find((folder) => folder !== "" && canReach(folder, account) && canWrite(folder));
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
