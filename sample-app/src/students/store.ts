import type { Page, Student, StudentInput } from "./student.ts";

/** Where students are kept. Errors of the database pass through; the error handler sorts them. */
export type StudentStore = Readonly<{
  create: (input: StudentInput) => Promise<Student>;
  list: (page: Page) => Promise<{ items: Student[]; total: number }>;
  read: (id: number) => Promise<Student | undefined>;
  findByDocument: (document: string) => Promise<Student | undefined>;
  /** Writes the fields given and leaves the others; an empty object only reads. */
  update: (id: number, fields: Partial<StudentInput>) => Promise<Student | undefined>;
  remove: (id: number) => Promise<boolean>;
}>;

/** The part of the pool that the store uses. */
export type Database = Readonly<{
  query: (
    text: string,
    values: unknown[],
  ) => Promise<{ rows: Record<string, unknown>[]; rowCount: number | null }>;
}>;

const COLUMNS = "id, name, document, registration, email, created_at, updated_at";
const WRITABLE = ["name", "document", "registration", "email"] as const;

/** The store on PostgreSQL; values travel as parameters only. */
export function createStudentStore(db: Database): StudentStore {
  const one = async (text: string, values: unknown[]): Promise<Student | undefined> => {
    const row = (await db.query(text, values)).rows[0];
    return row && toStudent(row);
  };
  const read = (id: number) => one(`SELECT ${COLUMNS} FROM students WHERE id = $1`, [id]);
  return {
    read,
    create: async ({ name, document, registration, email }) => {
      const text = `INSERT INTO students (name, document, registration, email) VALUES ($1, $2, $3, $4) RETURNING ${COLUMNS}`;
      const created = await one(text, [name, document, registration, email]);
      if (!created) throw new Error("the database returned no row for the new student");
      return created;
    },
    list: async ({ limit, offset }) => {
      // One statement, so that the total and the page come from the same moment; the left join keeps the
      // total when the page is empty.
      const text =
        `WITH page AS (SELECT ${COLUMNS} FROM students ORDER BY id LIMIT $1 OFFSET $2) ` +
        "SELECT (SELECT count(*) FROM students)::integer AS total, page.* " +
        "FROM (VALUES (1)) AS always LEFT JOIN page ON true ORDER BY page.id";
      const { rows } = await db.query(text, [limit, offset]);
      const items = rows.filter((row) => row["id"] !== null).map(toStudent);
      return { items, total: Number(rows[0]?.["total"] ?? 0) };
    },
    findByDocument: (document) => one(`SELECT ${COLUMNS} FROM students WHERE document = $1`, [document]),
    update: async (id, fields) => {
      const names = WRITABLE.filter((name) => fields[name] !== undefined);
      if (names.length === 0) return read(id);
      const set = names.map((name, index) => `${name} = $${index + 2}`).join(", ");
      const text = `UPDATE students SET ${set}, updated_at = now() WHERE id = $1 RETURNING ${COLUMNS}`;
      return one(text, [id, ...names.map((name) => fields[name])]);
    },
    remove: async (id) => ((await db.query("DELETE FROM students WHERE id = $1", [id])).rowCount ?? 0) > 0,
  };
}

function toStudent(row: Record<string, unknown>): Student {
  return {
    id: Number(row["id"]),
    name: String(row["name"]),
    document: String(row["document"]),
    registration: optionalText(row["registration"]),
    email: optionalText(row["email"]),
    createdAt: toTime(row["created_at"]),
    updatedAt: toTime(row["updated_at"]),
  };
}

function optionalText(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function toTime(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}
