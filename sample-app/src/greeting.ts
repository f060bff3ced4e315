import { Router } from "express";
import { notFound, onlyMethods } from "./problem.ts";

/** 1 to 64 letters, marks, digits, spaces, apostrophes, hyphens or underscores, the first one a letter. */
const NAME = /^\p{L}[\p{L}\p{M}\p{N}'’ _-]{0,63}$/u;

/** `GET /:name`: the endpoint for load tests, which therefore stays clear of the database. */
export function createGreetingRoutes(): Router {
  const router = Router();
  router
    .route("/:name")
    .get((req, res) => {
      const name = req.params.name;
      // 404, not 400: what asks for /favicon.ico or /.env asks for a page that is not here.
      if (!NAME.test(name))
        throw notFound("no such page; a name to greet starts with a letter and has no dots");
      res.json({ message: `Hello, ${name}!` });
    })
    .all(onlyMethods("GET", "HEAD"));
  return router;
}
