import type { IncomingMessage } from "node:http";
import { loadModel, services } from "../model/load.ts";
import type { Asked, Json } from "../types.ts";
import { readQuery } from "./query.ts";
import { readRest } from "./rest.ts";

/** Reads a request in the protocol that it speaks; undefined when it speaks none. */
export function read(request: IncomingMessage, body: string): Asked | undefined {
  const target = request.headers["x-amz-target"];
  const type = request.headers["content-type"] ?? "";
  if (typeof target === "string") return readJson(target, body);
  if (type.startsWith("application/x-www-form-urlencoded")) return readQuery(body);
  return readRest(request.method ?? "GET", request.url ?? "/", body);
}

function readJson(target: string, body: string): Asked | undefined {
  const [prefix = "", operation = ""] = target.split(".");
  const service = services.find((name) => loadModel(name).metadata.targetPrefix === prefix);
  if (!service) return undefined;
  return { service, operation, input: body === "" ? {} : (JSON.parse(body) as Json), protocol: "json" };
}
