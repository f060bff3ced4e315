import type { FieldProblem } from "../problem.ts";

/** A record as it is stored and answered; times are ISO 8601 in UTC. */
export type Student = Readonly<{
  id: number;
  name: string;
  document: string;
  registration: string | null;
  email: string | null;
  createdAt: string;
  updatedAt: string;
}>;

/** What a caller may write. */
export type StudentInput = Readonly<Pick<Student, "name" | "document" | "registration" | "email">>;

/** Which page of the list. */
export type Page = Readonly<{ limit: number; offset: number }>;

/** A value, or everything that is wrong with what was sent. */
export type Checked<T> = { ok: true; value: T } | { ok: false; errors: FieldProblem[] };

/** Patterns that the API document publishes. */
export const PATTERNS = {
  document: /^[0-9]{11}$/,
  registration: /^[A-Za-z0-9-]{1,20}$/,
  // Only the shape: whether an address exists is proven by mail, not by a pattern.
  email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
} as const;

/** Limits that the API document publishes. */
export const LIMITS = {
  name: 120,
  email: 254,
  page: 100,
  pageDefault: 20,
  offset: 1_000_000_000,
  id: 2_147_483_647,
};

type Rule = (value: unknown) => { value: string | null } | { message: string };

const RULES: Readonly<Record<keyof StudentInput, Rule>> = {
  name: (value) => {
    const name = typeof value === "string" ? value.trim() : "";
    const good =
      name !== "" && [...name].length <= LIMITS.name && !/\p{Cc}/u.test(name) && name.isWellFormed();
    if (good) return { value: name };
    return { message: `must be text of 1 to ${LIMITS.name} characters without control characters` };
  },
  document: (value) => {
    if (typeof value === "string" && PATTERNS.document.test(value)) return { value };
    return { message: "must be a string of exactly 11 digits" };
  },
  registration: (value) => {
    if (value === null) return { value: null };
    if (typeof value === "string" && PATTERNS.registration.test(value)) return { value };
    return { message: "must be null or 1 to 20 letters, digits or hyphens" };
  },
  email: (value) => {
    if (value === null) return { value: null };
    const good = typeof value === "string" && value.length <= LIMITS.email && PATTERNS.email.test(value);
    if (good && value.isWellFormed() && !/\p{Cc}/u.test(value)) return { value };
    return { message: `must be null or an e-mail address of at most ${LIMITS.email} characters` };
  },
};

/** Fields that answers carry and that a caller may send back; they are not written. */
const READ_ONLY = new Set(["id", "createdAt", "updatedAt"]);

function isField(name: string): name is keyof StudentInput {
  return Object.hasOwn(RULES, name);
}

/** Checks the fields of a body that are there; names all that are wrong or unknown. */
export function checkFields(body: unknown): Checked<Partial<StudentInput>> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { ok: false, errors: [{ field: "", message: "the body must be a JSON object" }] };
  }
  const errors: FieldProblem[] = [];
  const value: Record<string, string | null> = {};
  for (const [field, sent] of Object.entries(body)) {
    if (READ_ONLY.has(field)) continue;
    if (!isField(field)) {
      const known = Object.keys(RULES).join(", ");
      errors.push({ field, message: `\`${field}\` is not a field: allowed are ${known}` });
      continue;
    }
    const result = RULES[field](sent);
    if ("message" in result)
      errors.push({ field, message: `\`${field}\` is ${show(sent)}: it ${result.message}` });
    else value[field] = result.value;
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, value };
}

/** Checks a whole record: `name` and `document` are required, the others are null when absent. */
export function checkStudent(body: unknown): Checked<StudentInput> {
  const fields = checkFields(body);
  const errors = fields.ok ? [] : fields.errors;
  if (typeof body === "object" && body !== null && !Array.isArray(body)) {
    for (const field of ["name", "document"]) {
      if (!Object.hasOwn(body, field)) errors.push({ field, message: `\`${field}\` is missing` });
    }
  }
  if (!fields.ok || errors.length > 0) return { ok: false, errors };
  const { name = "", document = "", registration = null, email = null } = fields.value;
  return { ok: true, value: { name, document, registration, email } };
}

/** Checks `limit` (1 to 100, default 20) and `offset` (default 0) of a query. */
export function checkPage(query: Readonly<Record<string, unknown>>): Checked<Page> {
  const errors: FieldProblem[] = [];
  const read = (field: string, standard: number, min: number, max: number): number => {
    const sent = query[field];
    if (sent === undefined) return standard;
    const value = typeof sent === "string" && /^[0-9]{1,10}$/.test(sent) ? Number(sent) : Number.NaN;
    if (value >= min && value <= max) return value;
    errors.push({
      field,
      message: `\`${field}\` is ${show(sent)}: it must be a whole number from ${min} to ${max}`,
    });
    return standard;
  };
  const limit = read("limit", LIMITS.pageDefault, 1, LIMITS.page);
  const offset = read("offset", 0, 0, LIMITS.offset);
  return errors.length > 0 ? { ok: false, errors } : { ok: true, value: { limit, offset } };
}

/** Checks the id of a path: a whole number that the database can hold. */
export function checkId(sent: string): Checked<number> {
  const value = /^[1-9][0-9]{0,9}$/.test(sent) ? Number(sent) : Number.NaN;
  if (value <= LIMITS.id) return { ok: true, value };
  const message = `\`id\` is ${show(sent)}: it must be a whole number from 1 to ${LIMITS.id}`;
  return { ok: false, errors: [{ field: "id", message }] };
}

/** Checks the document number of a path. */
export function checkDocument(sent: string): Checked<string> {
  if (PATTERNS.document.test(sent)) return { ok: true, value: sent };
  const message = `\`document\` is ${show(sent)}: it must be exactly 11 digits`;
  return { ok: false, errors: [{ field: "document", message }] };
}

/** Shows what was sent, short enough for a message. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 40 ? text : `${text.slice(0, 37)}...`;
}
