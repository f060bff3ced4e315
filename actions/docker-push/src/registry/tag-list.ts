import { Failure } from "../../../../lib/errors.ts";
import type { Call, Session } from "./session.ts";

/** A registry that pages for ever is not believed. */
const MOST_PAGES = 200;

/** Tags under which documents attached to a digest are stored where the referrers API is missing. */
const ATTACHED = /^sha256-[0-9a-f]{64}/;

/** See RegistryClient.listTags. */
export async function listTags(session: Session, path: string): Promise<string[]> {
  const { tags, answer, call } = await readPages(session, path, MOST_PAGES);
  if (answer.status !== 200 && answer.status !== 404) throw session.refused(answer, call);
  return tags;
}

/** See RegistryClient.listTagsWithin. */
export async function listTagsWithin(
  session: Session,
  path: string,
  pages: number,
): Promise<string[] | undefined> {
  try {
    const { tags, answer, more } = await readPages(session, path, pages);
    return !more && (answer.status === 200 || answer.status === 404) ? tags : undefined;
  } catch (error) {
    // Reading tags may be a right of its own; whoever lacks it can still ask tag by tag.
    if (error instanceof Failure && error.code === "DENIED") return undefined;
    throw error;
  }
}

async function readPages(session: Session, path: string, most: number) {
  const tags: string[] = [];
  let target = `/v2/${path}/tags/list?n=1000`;
  for (let page = 1; ; page++) {
    const call: Call = {
      method: "GET",
      target,
      scope: { path, push: false },
      what: `list the tags of ${path}`,
    };
    const answer = await session.call(call);
    if (answer.status === 200) tags.push(...readTags(answer.body).filter((tag) => !ATTACHED.test(tag)));
    const next = answer.status === 200 ? nextPage(answer.headers["link"] ?? "") : undefined;
    if (next === undefined || page === most) return { tags, answer, call, more: next !== undefined };
    target = session.resolve(next).href;
  }
}

/** `tags` is null for a repository whose last tag has gone. */
function readTags(body: Buffer): string[] {
  const parsed = JSON.parse(body.toString("utf8")) as { tags?: unknown };
  const tags = Array.isArray(parsed.tags) ? parsed.tags : [];
  return tags.filter((tag): tag is string => typeof tag === "string");
}

function nextPage(link: string): string | undefined {
  return /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(link)?.[1];
}
