import type { AwsService, Json } from "../types.ts";
import { loadModel, type ServiceModel, type Shape } from "./load.ts";

/** Values that AWS's documentation has and its model lacks. */
const unlisted: ReadonlySet<string> = new Set(["PRE_PRODUCTION_TRAFFIC_SHIFT"]);

/** What a value does wrong against the published model, as `path: complaint`; empty when nothing. */
export function validate(
  service: AwsService,
  operation: string,
  side: "input" | "output",
  value: Json,
  options: { readonly allowUnknown?: boolean } = {},
): readonly string[] {
  const model = loadModel(service);
  const found = model.operations[operation];
  if (!found) return [`${service} has no operation ${operation}`];
  const shape = found[side]?.shape;
  if (!shape) return Object.keys(value).length === 0 ? [] : [`${operation} has no ${side}`];
  const complaints: string[] = [];
  check({ model, complaints, allowUnknown: options.allowUnknown ?? false }, shape, value, "");
  return complaints;
}

interface Check {
  readonly model: ServiceModel;
  readonly complaints: string[];
  readonly allowUnknown: boolean;
}

function check(run: Check, name: string, value: unknown, path: string): void {
  const shape = run.model.shapes[name];
  if (!shape) throw new Error(`the model has no shape ${name}`);
  if (shape.document) return;
  const complain = (text: string) => run.complaints.push(`${path === "" ? "." : path}: ${text}`);
  switch (shape.type) {
    case "structure":
      if (!isObject(value)) return void complain(`must be an object, is ${kind(value)}`);
      checkStructure(run, shape, value, path);
      return;
    case "list":
      if (!Array.isArray(value)) return void complain(`must be a list, is ${kind(value)}`);
      checkRange(shape, value.length, "items", complain);
      for (const [index, item] of value.entries())
        check(run, shape.member?.shape ?? "", item, `${path}[${index}]`);
      return;
    case "map":
      if (!isObject(value)) return void complain(`must be a map, is ${kind(value)}`);
      for (const [key, item] of Object.entries(value))
        check(run, shape.value?.shape ?? "", item, `${path}.${key}`);
      return;
    default:
      checkScalar(shape, value, complain);
  }
}

function checkStructure(run: Check, shape: Shape, value: Json, path: string): void {
  const members = shape.members ?? {};
  for (const name of shape.required ?? []) {
    if (value[name] === undefined || value[name] === null)
      run.complaints.push(`${path}.${name}: is required`);
  }
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined || item === null) continue;
    const member = members[name];
    if (member) check(run, member.shape, item, `${path}.${name}`);
    else if (!run.allowUnknown) run.complaints.push(`${path}.${name}: is unknown to AWS`);
  }
}

function checkScalar(shape: Shape, value: unknown, complain: (text: string) => unknown): void {
  switch (shape.type) {
    case "string":
      if (typeof value !== "string") return void complain(`must be a string, is ${kind(value)}`);
      if (shape.enum && !shape.enum.includes(value) && !unlisted.has(value)) {
        return void complain(`\`${value}\` is none of ${shape.enum.join(", ")}`);
      }
      checkRange(shape, value.length, "characters", complain);
      if (shape.pattern !== undefined && !matches(shape.pattern, value)) {
        complain(`\`${value}\` does not match ${shape.pattern}`);
      }
      return;
    case "boolean":
      if (typeof value !== "boolean") complain(`must be true or false, is ${kind(value)}`);
      return;
    case "integer":
    case "long":
      if (!Number.isInteger(value)) return void complain(`must be a whole number, is ${kind(value)}`);
      checkRange(shape, value as number, "", complain);
      return;
    case "float":
    case "double":
    case "timestamp":
      if (typeof value !== "number" || !Number.isFinite(value))
        complain(`must be a number, is ${kind(value)}`);
      return;
    case "blob":
      if (typeof value !== "string") complain("must be base64");
      return;
    default:
      complain(`the model's type ${shape.type} is not checked here`);
  }
}

function checkRange(shape: Shape, size: number, unit: string, complain: (text: string) => unknown): void {
  const { min, max } = shape;
  if (min !== undefined && size < min) complain(`${size} ${unit} is less than ${min}`);
  if (max !== undefined && size > max) complain(`${size} ${unit} is more than ${max}`);
}

/** AWS's patterns are Java's and mean the whole value; one that JavaScript cannot read is not judged. */
function matches(pattern: string, value: string): boolean {
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(`^(?:${pattern})$`, flags).test(value);
    } catch {
      // the next way of reading it
    }
  }
  return true;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kind(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return value === null ? "null" : `${typeof value} ${JSON.stringify(value)?.slice(0, 60)}`;
}
