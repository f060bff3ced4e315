import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { messageOf, systemCode } from "../../../../lib/errors.ts";
import type { InputReader } from "../../../../lib/inputs.ts";
import type { BuildSecret } from "./model.ts";

/** The most that a builder takes, bytes. https://docs.docker.com/build/building/secrets/ */
const LARGEST = 500_000;

/**
 * Reads the three inputs of build secrets. A secret that is missing or empty
 * is a problem: a build without it would fail late, or succeed with less.
 */
export function readSecrets(read: InputReader, root: string): BuildSecret[] {
  const secrets = [...fromText(read), ...fromFiles(read, root), ...fromVariables(read)];
  const seen = new Set<string>();
  for (const { id } of secrets) {
    if (seen.has(id)) read.problem(`the build secret \`${id}\` is given twice`);
    seen.add(id);
  }
  for (const { value } of secrets) read.hide(value.toString("utf8"));
  return secrets;
}

/** Entries `id=value`; one in double quotes may span lines, and `""` in it is a quote. */
export function splitSecrets(text: string): string[] {
  const entries: string[] = [];
  for (let rest = text.trimStart(); rest !== ""; rest = rest.trimStart()) {
    const quoted = /^"((?:[^"]|"")*)"[^\S\n]*(?:\r?\n|$)/.exec(rest);
    const plain = /^[^\r\n]*/.exec(rest);
    entries.push(quoted ? (quoted[1] ?? "").replaceAll('""', '"') : (plain?.[0] ?? "").trimEnd());
    rest = rest.slice((quoted ?? plain)?.[0].length ?? rest.length);
  }
  return entries.filter((entry) => entry !== "");
}

function fromText(read: InputReader): BuildSecret[] {
  const text = read.secret("secrets");
  return splitSecrets(text).flatMap((entry, index) => {
    const pair = splitPair(entry);
    // The entry itself may be the secret: only its number is told.
    if (!pair) read.problem(`\`secrets\` entry ${index + 1} is not \`id=value\``);
    else if (pair.rest.trim() === "")
      read.problem(`\`secrets\`: \`${pair.id}\` is empty: is the secret set and passed on?`);
    return pair && pair.rest.trim() !== "" ? [{ id: pair.id, value: Buffer.from(pair.rest) }] : [];
  });
}

function fromFiles(read: InputReader, root: string): BuildSecret[] {
  return read.list("secret-files").flatMap((line) => {
    const pair = splitPair(line);
    if (!pair || pair.rest === "") {
      read.problem(`\`secret-files\`: \`${line}\` is not \`id=path\``);
      return [];
    }
    const what = `\`secret-files\`: \`${pair.id}\` is the file \`${pair.rest}\`, which`;
    try {
      const path = resolve(root, pair.rest);
      const { size } = statSync(path);
      if (size > LARGEST) {
        read.problem(`${what} has ${size} bytes: builders take at most ${LARGEST}`);
        return [];
      }
      const value = readFileSync(path);
      if (value.toString("utf8").trim() === "") read.problem(`${what} is empty`);
      return [{ id: pair.id, value }];
    } catch (error) {
      read.problem(
        `${what} ${systemCode(error) === "ENOENT" ? "does not exist" : `cannot be read: ${messageOf(error)}`}`,
      );
      return [];
    }
  });
}

function fromVariables(read: InputReader): BuildSecret[] {
  return read.list("secret-envs", { commas: true }).flatMap((line) => {
    const pair = splitPair(line) ?? { id: line, rest: line };
    const value = read.variable(pair.rest);
    if (!/^[A-Za-z_]\w*$/.test(pair.rest))
      read.problem(`\`secret-envs\`: \`${line}\` is not \`id=VARIABLE\``);
    else if (value === undefined || value.trim() === "")
      read.problem(
        `\`secret-envs\`: \`${pair.id}\` is the variable \`${pair.rest}\`, which is ${value === undefined ? "not set" : "empty"}`,
      );
    else return [{ id: pair.id, value: Buffer.from(value) }];
    return [];
  });
}

function splitPair(entry: string): { readonly id: string; readonly rest: string } | undefined {
  const found = /^\s*([\w.-]+)=([\s\S]*)$/.exec(entry);
  return found ? { id: found[1] ?? "", rest: found[2] ?? "" } : undefined;
}
