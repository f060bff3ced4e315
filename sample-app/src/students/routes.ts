import express, { type Request, type RequestHandler, Router } from "express";
import { classifyFailure } from "../database.ts";
import { invalid, notFound, onlyMethods, Problem } from "../problem.ts";
import type { StudentStore } from "./store.ts";
import { type Checked, checkDocument, checkFields, checkId, checkPage, checkStudent } from "./student.ts";

const readJson = express.json({ limit: "16kb", strict: false });

/** Refuses a body that is not declared as JSON, which the parser would leave out without a word. */
const requireJson: RequestHandler = (req, _res, next) => {
  if (req.is("application/json")) return next();
  const sent = req.headers["content-type"] ?? "nothing";
  const detail = `the body must be sent as application/json, Content-Type is ${sent}`;
  throw new Problem({ status: 415, code: "UNSUPPORTED_MEDIA_TYPE", detail });
};

const json: RequestHandler[] = [requireJson, readJson];

/** The routes of students, with full paths: logs and metrics name a request by the path of its route. */
export function createStudentRoutes(store: StudentStore): Router {
  const router = Router();
  router
    .route("/students")
    .get(async (req, res) => {
      const page = accept(checkPage(req.query));
      res.json({ ...(await store.list(page)), ...page });
    })
    .post(json, async (req: Request, res: express.Response) => {
      const student = await orConflict(store.create(accept(checkStudent(req.body))));
      res.status(201).location(`/students/${student.id}`).json(student);
    })
    .all(onlyMethods("GET", "HEAD", "POST"));
  router
    .route("/students/document/:document")
    .get(async (req, res) => {
      const document = accept(checkDocument(req.params.document));
      res.json(existing(await store.findByDocument(document), "no student has this document number"));
    })
    .all(onlyMethods("GET", "HEAD"));
  router
    .route("/students/:id")
    .get(async (req, res) => {
      const id = idOf(req);
      res.json(existing(await store.read(id), missing(id)));
    })
    .put(json, async (req: Request, res: express.Response) => {
      const id = idOf(req);
      const student = accept(checkStudent(req.body));
      res.json(existing(await orConflict(store.update(id, student)), missing(id)));
    })
    .patch(json, async (req: Request, res: express.Response) => {
      const id = idOf(req);
      const fields = accept(checkFields(req.body));
      res.json(existing(await orConflict(store.update(id, fields)), missing(id)));
    })
    .delete(async (req, res) => {
      const id = idOf(req);
      if (!(await store.remove(id))) throw notFound(missing(id));
      res.status(204).end();
    })
    .all(onlyMethods("GET", "HEAD", "PUT", "PATCH", "DELETE"));
  return router;
}

function accept<T>(checked: Checked<T>): T {
  if (checked.ok) return checked.value;
  throw invalid(checked.errors);
}

function idOf(req: Request): number {
  return accept(checkId(String(req.params["id"])));
}

function missing(id: number): string {
  return `there is no student ${id}`;
}

function existing<T>(found: T | undefined, detail: string): T {
  if (found === undefined) throw notFound(detail);
  return found;
}

/** Turns a broken unique constraint into 409; asking first would leave a gap between question and write. */
async function orConflict<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const failure = classifyFailure(error);
    if (failure.kind !== "duplicate") throw error;
    const field = failure.constraint === "students_registration_unique" ? "registration" : "document";
    const message = `\`${field}\` belongs to another student`;
    throw new Problem(
      { status: 409, code: "DUPLICATE", detail: message, errors: [{ field, message }] },
      error,
    );
  }
}
