import type { StudentStore } from "../src/students/store.ts";
import type { Student } from "../src/students/student.ts";

/** A store for tests of the HTTP side; `fail` makes every call end in the error that it returns. */
export function createMemoryStore(fail: () => Error | undefined = () => undefined): StudentStore {
  const students = new Map<number, Student>();
  const answer = async <T>(work: () => T): Promise<T> => {
    const error = fail();
    if (error) throw error;
    return work();
  };
  return {
    create: (input) =>
      answer(() => {
        const id = students.size + 1;
        const time = new Date(0).toISOString();
        const student = { id, ...input, createdAt: time, updatedAt: time };
        students.set(id, student);
        return student;
      }),
    list: ({ limit, offset }) =>
      answer(() => ({ items: [...students.values()].slice(offset, offset + limit), total: students.size })),
    read: (id) => answer(() => students.get(id)),
    findByDocument: (document) =>
      answer(() => [...students.values()].find((one) => one.document === document)),
    update: (id, fields) =>
      answer(() => {
        const before = students.get(id);
        if (!before) return undefined;
        const after = { ...before, ...fields };
        students.set(id, after);
        return after;
      }),
    remove: (id) => answer(() => students.delete(id)),
  };
}
