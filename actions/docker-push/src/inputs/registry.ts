import type { GitHubContext } from "../../../../lib/github-context.ts";
import type { InputReader } from "../../../../lib/inputs.ts";
import { parseYaml } from "../../../../lib/yaml.ts";
import { normaliseHost, parseRepository, type Repository } from "../registry/names.ts";
import { isContent, splitFields } from "../tags/parse-rules.ts";
import type { Login, RegistryInputs } from "./model.ts";

/** Reads where the image goes and the logins. */
export function readRegistry(read: InputReader, github: GitHubContext): RegistryInputs {
  const images = readImages(read);
  const logins = readLogins(read, github);
  const ecr = read.enumeration("ecr", ["auto", "true", "false"], "auto") !== "false";
  const createRepository = read.bool("ecr-create-repository", false);
  if (createRepository && !ecr) {
    read.problem("`ecr-create-repository` is `true` and `ecr` is `false`: take one of them back");
  }
  const awsRegion = read.text("aws-region", "", {
    pattern: /^[a-z]{2}(-[a-z]+)+-\d$/,
    allowed: "a region such as `eu-west-1`",
  });
  return { images, logins, ecr, createRepository, awsRegion };
}

/** Repositories, or the attributes `name=...,enable=...` that docker/metadata-action takes. */
function readImages(read: InputReader): Repository[] {
  const given = read.list("images", { required: true });
  const lines = given.filter(isContent);
  if (given.length > 0 && lines.length === 0) read.problem("`images` holds comments only");
  const found = new Map<string, Repository>();
  for (const line of lines) {
    const name = imageName(line, read);
    if (name === undefined) continue;
    const parsed = parseRepository(name);
    if ("problem" in parsed) read.problem(`\`images\`: ${parsed.problem}`);
    else found.set(parsed.repository.name, parsed.repository);
  }
  if (lines.length > 0 && found.size === 0 && lines.every((line) => /(^|,)enable=false(,|$)/.test(line))) {
    read.problem("`images`: every one of them has `enable=false`");
  }
  return [...found.values()];
}

/** Undefined: not wanted, or its problem is noted. */
function imageName(line: string, read: InputReader): string | undefined {
  const fields = splitFields(line);
  let name: string | undefined;
  let enable = "true";
  for (const field of fields) {
    const attribute = /^([a-z]+)=(.*)$/s.exec(field);
    if (!attribute) name ??= field;
    else if (attribute[1] === "name") name = attribute[2];
    else if (attribute[1] === "enable") enable = attribute[2] ?? "";
    else read.problem(`\`images\`: \`${line}\` has the unknown attribute \`${attribute[1]}\``);
  }
  if (fields.filter((field) => !field.includes("=")).length > 1)
    read.problem(`\`images\`: \`${line}\` holds several names: write one a line`);
  if (enable !== "true" && enable !== "false")
    read.problem(`\`images\`: \`${line}\` has \`enable=${enable}\`: allowed is \`true\` or \`false\``);
  if (name === undefined || name === "") read.problem(`\`images\`: \`${line}\` names no repository`);
  return enable === "true" && name !== "" ? name : undefined;
}

function readLogins(read: InputReader, github: GitHubContext): Login[] {
  const registry = read.text("registry");
  const username = read.text("username");
  const password = read.secret("password").replace(/\r?\n$/, "");
  const several = readAuth(read);
  const single = registry !== "" || username !== "" || password !== "";
  if (several.length > 0 && (username !== "" || password !== "" || registry !== "")) {
    read.problem(
      "`registry-auth` and `registry`, `username`, `password` are both given: use one of the two ways",
    );
  }
  if (!single || several.length > 0) return several;
  // Without its secrets a pull request only builds: that is no mistake of its author.
  if (password === "" && isPullRequest(github)) return [];
  if (username === "" && password === "") return [];
  if (username === "") read.problem("`password` is given without `username`");
  if (password === "")
    read.problem("`username` is given and `password` is empty: is the secret set and passed on?");
  checkLogin(read, "`username`", username);
  return [{ registry: normaliseHost(registry || "docker.io"), username, password }];
}

/** https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request */
export function isPullRequest(github: Pick<GitHubContext, "eventName">): boolean {
  return github.eventName === "pull_request" || github.eventName === "pull_request_target";
}

function checkLogin(read: InputReader, where: string, username: string): void {
  if (username.includes(":")) read.problem(`${where} holds a colon, which no registry takes`);
}

/** The YAML list of docker/login-action; nothing of it is ever shown, since any line may hold the password. */
function readAuth(read: InputReader): Login[] {
  const text = read.verbatim("registry-auth");
  if (text.trim() === "") return [];
  let list: unknown;
  try {
    list = parseYaml(text, { schema: "failsafe", logLevel: "error" });
  } catch {
    read.hide(text);
    read.problem("`registry-auth` is no YAML (its text is not shown, since it may hold passwords)");
    return [];
  }
  if (!Array.isArray(list)) {
    read.hide(text);
    read.problem("`registry-auth` is no list of `- registry: ...`, `username: ...`, `password: ...`");
    return [];
  }
  const logins = list.flatMap((item: unknown, index) =>
    authOf(read, item, `\`registry-auth\` entry ${index + 1}`),
  );
  const hosts = logins.map((login) => login.registry);
  const twice = hosts.find((host, index) => hosts.indexOf(host) !== index);
  if (twice !== undefined) read.problem(`\`registry-auth\` gives \`${twice}\` twice`);
  return logins;
}

function authOf(read: InputReader, item: unknown, where: string): Login[] {
  if (item === null || typeof item !== "object") {
    read.problem(`${where} is no map of registry, username and password`);
    return [];
  }
  const fields = new Map(
    Object.entries(item).map(([name, value]) => [name, typeof value === "string" ? value : ""]),
  );
  const password = (fields.get("password") ?? "").replace(/\r?\n$/, "");
  read.hide(password);
  const username = fields.get("username") ?? "";
  for (const name of fields.keys()) {
    if (!["registry", "username", "password", "logout"].includes(name))
      read.problem(
        `${where} has the unknown field \`${name}\`: allowed are \`registry\`, \`username\`, \`password\``,
      );
  }
  if (username === "") read.problem(`${where} lacks its \`username\``);
  if (password === "")
    read.problem(`${where} has no \`password\` or an empty one: is the secret set and passed on?`);
  checkLogin(read, where, username);
  return [{ registry: normaliseHost(fields.get("registry") || "docker.io"), username, password }];
}
