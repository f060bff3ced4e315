import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { applyMigrations, readMigrations } from "../../src/migrations.ts";
import { createStudentStore, type StudentStore } from "../../src/students/store.ts";
import { createSchema, type TestSchema } from "../database.ts";
import { json, send, serveApp, type TestServer } from "../http.ts";

describe("students in PostgreSQL", () => {
  let schema: TestSchema;
  let store: StudentStore;
  let server: TestServer;
  before(async () => {
    schema = await createSchema();
    const client = await schema.pool.connect();
    await applyMigrations(client, readMigrations(new URL("../../migrations/", import.meta.url)));
    client.release();
    store = createStudentStore(schema.pool);
    server = await serveApp(store);
  });
  after(async () => {
    await server?.close();
    await schema?.drop();
  });
  const student = (document: string, more = {}) => ({
    name: "Ana",
    document,
    registration: null,
    email: null,
    ...more,
  });

  test("come back as they were written", async () => {
    const hostile = `Robert'); DROP TABLE students;-- "é" 😀 \\ %`;
    const { id } = await store.create(student("00000000001", { name: hostile, email: "a@b.cd" }));
    const found = await store.read(id);
    assert.equal(found?.name, hostile);
    assert.deepEqual(await store.findByDocument("00000000001"), found);
    assert.match(found?.createdAt ?? "", /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.equal(await store.read(2_147_483_647), undefined);
    assert.ok(await store.remove(id));
    assert.equal(await store.remove(id), false);
  });

  test("are listed in order with the total of all, also past the end", async () => {
    for (let n = 10; n < 15; n++) await store.create(student(`000000000${n}`));
    const page = await json(await fetch(`${server.url}/students?limit=2&offset=1`));
    assert.ok(Array.isArray(page["items"]));
    assert.deepEqual(
      page["items"].map((one) => one.document),
      ["00000000011", "00000000012"],
    );
    assert.deepEqual([page["total"], page["limit"], page["offset"]], [5, 2, 1]);
    assert.deepEqual(await store.list({ limit: 2, offset: 50 }), { items: [], total: 5 });
  });

  test("change only in the fields given, and only the one meant", async () => {
    const one = await store.create(student("00000000020", { registration: "R-1", email: "a@b.cd" }));
    const other = await store.create(student("00000000021"));
    const changed = await store.update(one.id, { name: "Eva", email: null });
    assert.deepEqual(
      [changed?.name, changed?.document, changed?.registration, changed?.email],
      ["Eva", "00000000020", "R-1", null],
    );
    assert.ok((changed?.updatedAt ?? "") > one.updatedAt);
    assert.deepEqual(await store.update(one.id, {}), changed);
    assert.deepEqual(await store.read(other.id), other);
    assert.equal(await store.update(2_147_483_647, { name: "x" }), undefined);
  });

  test("of ten that claim one document number at once, one gets it", async () => {
    const body = student("00000000030", { registration: "R-30" });
    const answers = await Promise.all([...Array(10)].map(() => send(`${server.url}/students`, "POST", body)));
    const statuses = answers.map((answer) => answer.status).sort();
    assert.deepEqual(statuses, [201, ...Array(9).fill(409)]);
    const other = await send(`${server.url}/students`, "POST", { ...body, document: "00000000031" });
    assert.match(await other.text(), /`registration` belongs to another student/);
    const second = await store.create(student("00000000032"));
    const taken = await send(`${server.url}/students/${second.id}`, "PATCH", { document: "00000000030" });
    assert.equal(taken.status, 409);
  });
});
