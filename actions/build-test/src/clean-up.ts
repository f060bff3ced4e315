import { existsSync } from "node:fs";
import { Failure } from "../../../lib/errors.ts";
import type { PostContext } from "../../../lib/post.ts";
import { DATABASE_STATE, SERVER_FOLDER } from "./database/folder.ts";
import { removeServer } from "./database/processes.ts";
import { endMarked, isMark, MARK_STATE } from "./strays.ts";

/** Ends what the main step left, however that step ended: the project's processes, then the database. Idempotent. */
export async function cleanUp(context: PostContext): Promise<void> {
  const mark = context.state.load(MARK_STATE);
  const strays = isMark(mark) ? await endMarked(mark, context.clock) : 0;
  if (strays > 0)
    context.log.info(`${strays} ${strays === 1 ? "process" : "processes"} of the project ended`);
  const folder = folderOf(context.state.load(DATABASE_STATE));
  if (folder === undefined) return;
  const wasThere = existsSync(folder);
  const left = await removeServer(folder, context.clock);
  if (left.length > 0) {
    throw new Failure(`the database's processes ${left.join(", ")} could not be stopped`, {
      code: "DATABASE_LEFT",
      fix: "stop them by hand",
    });
  }
  if (wasThere) context.log.info("PostgreSQL: stopped, its folder is removed");
}

/** The saved folder. Anything that is not a folder of ours is not touched: the state is a file that others can write. */
function folderOf(state: unknown): string | undefined {
  if (typeof state !== "object" || state === null || !("folder" in state)) return undefined;
  const { folder } = state;
  return typeof folder === "string" && SERVER_FOLDER.test(folder) ? folder : undefined;
}
