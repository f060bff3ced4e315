import { loadModel, type ServiceModel } from "../model/load.ts";
import type { Asked, AwsService, Json } from "../types.ts";

const spoken: readonly AwsService[] = ["elbv2", "sts"];

/** Reads a request of the query protocol: a form whose names are paths (`TargetGroupArns.member.1`). */
export function readQuery(body: string): Asked | undefined {
  const form = new URLSearchParams(body);
  const [operation, version] = [form.get("Action") ?? "", form.get("Version")];
  const service = spoken.find((name) => loadModel(name).metadata.apiVersion === version);
  if (!service) return undefined;
  const model = loadModel(service);
  const shape = model.operations[operation]?.input?.shape;
  const fields = new Map([...form].filter(([name]) => name !== "Action" && name !== "Version"));
  const input = shape === undefined ? {} : (readShape(model, shape, fields, "") as Json);
  return { service, operation, input, protocol: "query" };
}

function readShape(
  model: ServiceModel,
  name: string,
  fields: ReadonlyMap<string, string>,
  prefix: string,
): unknown {
  const shape = model.shapes[name];
  if (!shape) throw new Error(`the model has no shape ${name}`);
  if (shape.type === "structure") {
    const result: Json = {};
    const used = new Set(
      [...fields.keys()]
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length).split(".")[0] ?? ""),
    );
    for (const member of used) {
      const known = shape.members?.[member];
      result[member] = known
        ? readShape(model, known.shape, fields, `${prefix}${member}.`)
        : fields.get(prefix + member);
    }
    return result;
  }
  if (shape.type === "list") {
    const items: unknown[] = [];
    for (let index = 1; ; index += 1) {
      const item = `${prefix}member.${index}`;
      if (![...fields.keys()].some((key) => key === item || key.startsWith(`${item}.`))) return items;
      items.push(readShape(model, shape.member?.shape ?? "", fields, `${item}.`));
    }
  }
  const text = fields.get(prefix.slice(0, -1)) ?? "";
  if (shape.type === "boolean") return text === "true";
  return ["integer", "long", "float", "double"].includes(shape.type) ? Number(text) : text;
}

/** Writes an answer of the query protocol. */
export function writeQuery(service: AwsService, operation: string, answer: Json): string {
  const model = loadModel(service);
  const output = model.operations[operation]?.output;
  const wrapper = output?.resultWrapper ?? `${operation}Result`;
  const inner = output ? writeShape(model, output.shape, answer) : "";
  return (
    `<${operation}Response xmlns="${model.metadata.xmlNamespace ?? ""}"><${wrapper}>${inner}</${wrapper}>` +
    `<ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata></${operation}Response>`
  );
}

function writeShape(model: ServiceModel, name: string, value: unknown): string {
  const shape = model.shapes[name];
  if (shape?.type === "structure") {
    return Object.entries(value as Json)
      .filter(([member, item]) => shape.members?.[member] && item !== undefined && item !== null)
      .map(
        ([member, item]) =>
          `<${member}>${writeShape(model, shape.members?.[member]?.shape ?? "", item)}</${member}>`,
      )
      .join("");
  }
  if (shape?.type === "list") {
    return (value as readonly unknown[])
      .map((item) => `<member>${writeShape(model, shape.member?.shape ?? "", item)}</member>`)
      .join("");
  }
  return escapeXml(String(value));
}

/** Writes an error of the query protocol. */
export function writeQueryError(code: string, message: string, status: number): string {
  const type = status >= 500 ? "Receiver" : "Sender";
  return (
    `<ErrorResponse><Error><Type>${type}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error>` +
    "<RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
  );
}

function escapeXml(text: string): string {
  return text.replace(
    /[&<>"]/g,
    (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[char] ?? char,
  );
}
