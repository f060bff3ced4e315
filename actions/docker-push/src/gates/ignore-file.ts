import { readFileSync } from "node:fs";
import { Failure, messageOf } from "../../../../lib/errors.ts";
import { loadYaml, parseYaml } from "../../../../lib/yaml.ts";

/** A finding that someone has looked at and lets pass for a while. */
export interface Ignored {
  readonly id: string;
  readonly reason: string;
  /** Last day on which it counts, `YYYY-MM-DD`. */
  readonly expires: string;
}

/**
 * Reads the list of findings to let pass. Throws BAD_INPUT when an entry lacks
 * its reason or its day, FINDINGS when one has expired: an exception that
 * nobody renews is no decision any more.
 */
export async function readIgnoreFile(path: string, today: Date): Promise<readonly Ignored[]> {
  if (path === "") return [];
  await loadYaml();
  const problems: string[] = [];
  const entries = entriesOf(path).flatMap((item, index) => entryOf(item, index + 1, problems));
  if (problems.length > 0) {
    throw new Failure(`\`vulnerability-ignore-file\`: ${problems.join("; ")}`, {
      code: "BAD_INPUT",
      fix: "give each entry `id`, `reason` and `expires: YYYY-MM-DD`",
    });
  }
  const day = today.toISOString().slice(0, 10);
  const expired = entries.filter((entry) => entry.expires < day);
  if (expired.length === 0) return entries;
  throw new Failure(
    `\`vulnerability-ignore-file\` holds expired entries: ${expired.map(({ id, expires }) => `${id} (until ${expires})`).join(", ")}`,
    { code: "FINDINGS", fix: "repair what they let pass, or look at each again and give it a new day" },
  );
}

function entriesOf(path: string): readonly unknown[] {
  let list: unknown;
  try {
    list = parseYaml(readFileSync(path, "utf8"), { schema: "failsafe", logLevel: "error" });
  } catch (error) {
    list = messageOf(error);
  }
  if (list === null || list === undefined || list === "") return [];
  if (Array.isArray(list)) return list;
  throw new Failure("`vulnerability-ignore-file` is no YAML list of `id`, `reason` and `expires`", {
    code: "BAD_INPUT",
    fix: "write one entry as `- id: CVE-2026-1234`, with `reason` and `expires` below it",
  });
}

function entryOf(item: unknown, number: number, problems: string[]): Ignored[] {
  const fields = new Map(typeof item === "object" && item !== null ? Object.entries(item) : []);
  const text = (name: string) => String(fields.get(name) ?? "").trim();
  const [id, reason, expires] = [text("id"), text("reason"), text("expires").slice(0, 10)];
  const name = id === "" ? `entry ${number}` : id;
  const missing = [
    id === "" ? "`id`" : "",
    reason === "" ? "`reason`" : "",
    expires === "" ? "`expires`" : "",
  ];
  const lacks = missing.filter((word) => word !== "");
  if (lacks.length > 0) problems.push(`${name} has no ${lacks.join(", no ")}`);
  else if (!isDay(expires))
    problems.push(`${name} expires on \`${text("expires")}\`, which is no day (YYYY-MM-DD)`);
  return [{ id, reason, expires }];
}

function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return (
    /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
  );
}
