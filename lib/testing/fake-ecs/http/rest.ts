import { loadModel } from "../model/load.ts";
import type { Asked, AwsService, Json } from "../types.ts";

const spoken: readonly AwsService[] = ["scheduler"];

/** Reads a request of the rest-json protocol: members from the path, the query and the body. */
export function readRest(method: string, url: string, body: string): Asked | undefined {
  const { pathname, searchParams } = new URL(url, "http://aws");
  for (const service of spoken) {
    const model = loadModel(service);
    for (const [operation, { http, input: member }] of Object.entries(model.operations)) {
      const found = http.method === method ? matchPath(http.requestUri, pathname) : undefined;
      if (!found) continue;
      const shape = member ? model.shapes[member.shape] : undefined;
      const input: Json = body === "" ? {} : (JSON.parse(body) as Json);
      for (const [name, { location, locationName }] of Object.entries(shape?.members ?? {})) {
        if (location === "uri") input[name] = found[locationName ?? name];
        const text = location === "querystring" ? searchParams.get(locationName ?? name) : null;
        if (text !== null) input[name] = text;
      }
      return { service, operation, input, protocol: "rest-json" };
    }
  }
  return undefined;
}

function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const parts = pattern.split("/");
  const given = path.split("/");
  if (parts.length !== given.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const value = decodeURIComponent(given[index] ?? "");
    if (part.startsWith("{")) found[part.slice(1, -1)] = value;
    else if (part !== value) return undefined;
  }
  return found;
}
