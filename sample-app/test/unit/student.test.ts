import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import * as students from "../../src/students/student.ts";

const ANA = { name: "Ana", document: "12345678901" };

describe("checks of students", () => {
  test("fill in what is optional and trim the name", () => {
    const checked = students.checkStudent({ ...ANA, name: "  Ana Lúcia " });
    assert.deepEqual(checked, {
      ok: true,
      value: { name: "Ana Lúcia", document: "12345678901", registration: null, email: null },
    });
  });

  test("take back what an answer carried", () => {
    const checked = students.checkStudent({ ...ANA, id: 4, createdAt: "x", updatedAt: "y" });
    assert.ok(checked.ok && !("id" in checked.value));
  });

  for (const [field, value] of [
    ["name", ""],
    ["name", "   "],
    ["name", 5],
    ["name", "x".repeat(121)],
    ["name", "a\u0000b"],
    ["name", "\ud800"],
    ["name", null],
    ["document", "1234567890"],
    ["document", "123456789012"],
    ["document", 12345678901],
    ["document", "1234567890a"],
    ["document", "12345678901\n"],
    ["registration", ""],
    ["registration", "a b"],
    ["email", "nobody"],
    ["email", "a@b"],
    ["email", `${"a".repeat(250)}@b.cd`],
    ["age", 5],
    ["__proto__x", 5],
  ] as const) {
    test(`refuse ${field} ${JSON.stringify(value).slice(0, 30)}`, () => {
      const checked = students.checkStudent({ ...ANA, [field]: value });
      assert.ok(!checked.ok);
      assert.deepEqual(
        checked.errors.map((error) => error.field),
        [field],
      );
    });
  }

  test("name everything that is wrong at once", () => {
    const checked = students.checkStudent({ email: "x", age: 1 });
    assert.ok(!checked.ok);
    assert.deepEqual(checked.errors.map((error) => error.field).sort(), ["age", "document", "email", "name"]);
  });

  for (const body of [null, [], "text", 5, undefined]) {
    test(`refuse a body of ${JSON.stringify(body)}`, () =>
      assert.equal(students.checkStudent(body).ok, false));
  }

  test("pages have limits", () => {
    assert.deepEqual(students.checkPage({}), { ok: true, value: { limit: 20, offset: 0 } });
    assert.deepEqual(students.checkPage({ limit: "100", offset: "7" }), {
      ok: true,
      value: { limit: 100, offset: 7 },
    });
    for (const query of [
      { limit: "0" },
      { limit: "101" },
      { limit: "1.5" },
      { offset: "-1" },
      { limit: ["1", "2"] },
    ]) {
      assert.equal(students.checkPage(query).ok, false, JSON.stringify(query));
    }
  });

  test("ids are what the database can hold", () => {
    assert.deepEqual(students.checkId("2147483647"), { ok: true, value: 2147483647 });
    for (const id of ["0", "2147483648", "-1", "1e3", "abc", "01"])
      assert.equal(students.checkId(id).ok, false, id);
  });

  test("the API document publishes the same patterns and limits", () => {
    const document = JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8"));
    const { Document, StudentInput } = document.components.schemas;
    assert.equal(Document.pattern, students.PATTERNS.document.source);
    assert.equal(StudentInput.properties.registration.pattern, students.PATTERNS.registration.source);
    assert.equal(StudentInput.properties.email.pattern, students.PATTERNS.email.source);
    assert.equal(StudentInput.properties.email.maxLength, students.LIMITS.email);
    assert.equal(StudentInput.properties.name.maxLength, students.LIMITS.name);
    assert.equal(document.components.parameters.id.schema.maximum, students.LIMITS.id);
  });
});
