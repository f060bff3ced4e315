import { type DurationUnit, durationText, LONGEST_MS, parseDuration } from "./duration.ts";
import { UserError } from "./errors.ts";
import { parseKeyValues } from "./key-values.ts";
import type { Mask } from "./mask.ts";

/** How an input was asked for; kept so that a test can hold action.yml against the code. */
export interface InputUse {
  readonly name: string;
  /** The default as action.yml writes it; "" for none. */
  readonly fallback: string;
}

/**
 * Reads the inputs of one action. A bad value is noted, not thrown, and a
 * harmless stand-in is returned, so that one message can name every problem:
 * `finish` throws it.
 */
export class InputReader {
  readonly uses: InputUse[] = [];
  private readonly problems: string[] = [];
  private readonly env: Readonly<Record<string, string | undefined>>;
  /** Where secrets that a parser finds by itself are told. */
  readonly mask: Mask;

  constructor(env: Readonly<Record<string, string | undefined>>, mask: Mask) {
    this.env = env;
    this.mask = mask;
  }

  /** Notes a problem that a reader found itself, or one between two inputs. */
  problem(text: string): void {
    this.problems.push(text);
  }

  /** Whether the user gave the input any text. */
  given(name: string): boolean {
    return this.raw(name).trim() !== "";
  }

  text(
    name: string,
    fallback = "",
    rule: { required?: boolean; pattern?: RegExp; allowed?: string } = {},
  ): string {
    const value = this.read(name, fallback).trim();
    if (value === "" && rule.required) this.problem(`\`${name}\` is required`);
    if (value !== "" && rule.pattern && !rule.pattern.test(value)) {
      this.wrong(name, value, `allowed is ${rule.allowed ?? String(rule.pattern)}`);
    }
    return value;
  }

  /** Text as given, inner and outer white space kept (keys, known_hosts, scripts). */
  verbatim(name: string): string {
    return this.read(name, "");
  }

  /** A value that is masked before anyone sees it, each of its lines too. */
  secret(name: string, rule: { required?: boolean } = {}): string {
    const value = this.read(name, "");
    this.mask.add(value);
    if (value.trim() === "" && rule.required) this.problem(`\`${name}\` is required`);
    return value;
  }

  /** A variable of the runner's environment that an input names, undefined when it is not set. */
  variable(name: string): string | undefined {
    return this.env[name];
  }

  /** Masks a part of an input that turned out to be a secret, before anything shows it. */
  hide(value: string): void {
    this.mask.add(value);
  }

  bool(name: string, fallback: boolean): boolean {
    const value = this.read(name, String(fallback)).trim().toLowerCase();
    if (value === "true" || value === "false") return value === "true";
    this.wrong(name, value, "allowed is `true` or `false`");
    return fallback;
  }

  /** A number in a range; `unit` is only for the message. */
  number(name: string, fallback: number, rule: NumberRule = {}): number {
    const text = this.read(name, String(fallback)).trim();
    const value = Number(text);
    if (text === "" || !this.isNumberInRange(name, text, value, rule)) return fallback;
    return value;
  }

  integer(name: string, fallback: number, rule: NumberRule = {}): number {
    return this.number(name, fallback, { ...rule, integer: true });
  }

  /** A number that may be left out. */
  optionalNumber(name: string, rule: NumberRule = {}): number | undefined {
    const text = this.read(name, "").trim();
    if (text === "") return undefined;
    const value = Number(text);
    return this.isNumberInRange(name, text, value, rule) ? value : undefined;
  }

  /** Milliseconds. `bare` is the unit of a number without one. */
  duration(name: string, fallback: string, bare: DurationUnit, rule: NumberRule = {}): number {
    const text = this.read(name, fallback).trim();
    const value = parseDuration(text === "" ? fallback : text, bare);
    if (value === undefined) {
      this.wrong(name, text, "allowed is a duration such as `500ms`, `90s`, `10m` or `1h30m`");
      return parseDuration(fallback, bare) ?? 0;
    }
    const bounds = { ...rule, max: Math.min(rule.max ?? LONGEST_MS, LONGEST_MS) };
    if (value < (bounds.min ?? 0) || value > bounds.max) {
      this.wrong(name, text, `allowed is a duration ${rangeText(bounds, durationText)}`);
    }
    return value;
  }

  /** A duration that may be left out: undefined when empty. */
  optionalDuration(name: string, bare: DurationUnit, rule: NumberRule = {}): number | undefined {
    if (!this.given(name)) {
      this.read(name, "");
      return undefined;
    }
    return this.duration(name, "", bare, rule);
  }

  enumeration<const T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.read(name, fallback).trim();
    const match = allowed.find((item) => item === value);
    if (match !== undefined) return match;
    this.wrong(name, value, `allowed is ${allowed.map((item) => `\`${item}\``).join(", ")}`);
    return fallback;
  }

  /** One item a line; `commas` also splits at commas. Blank lines are dropped. */
  list(
    name: string,
    rule: { commas?: boolean; fallback?: readonly string[]; required?: boolean } = {},
  ): string[] {
    const text = this.read(name, (rule.fallback ?? []).join("\n"));
    const items = text
      .split(rule.commas ? /[\n,]/ : /\n/)
      .map((item) => item.trim())
      .filter((item) => item !== "");
    if (items.length === 0 && rule.required) this.problem(`\`${name}\` is required`);
    return items;
  }

  /** `KEY=value` lines or a YAML/JSON object; `secret` masks every value that could be one. */
  map(name: string, rule: { secret?: boolean } = {}): ReadonlyMap<string, string> {
    const parsed = parseKeyValues(this.read(name, ""));
    if (!parsed.ok) {
      this.problem(`\`${name}\` cannot be read: ${parsed.problem}`);
      return new Map();
    }
    if (rule.secret) for (const value of parsed.pairs.values()) if (!isPlain(value)) this.mask.add(value);
    return parsed.pairs;
  }

  /** Refuses a value that the contract knows and this version does not carry out. */
  refuse(name: string, value: string, instead: string): void {
    this.wrong(name, value, `this version does not carry that out yet; ${instead}`);
  }

  /** Throws one UserError that names every problem found so far. */
  finish(): void {
    if (this.problems.length > 0) throw new UserError([...this.problems]);
  }

  private raw(name: string): string {
    return this.env[`INPUT_${name.replace(/ /g, "_").toUpperCase()}`] ?? "";
  }

  private read(name: string, fallback: string): string {
    if (!this.uses.some((use) => use.name === name)) this.uses.push({ name, fallback });
    const raw = this.raw(name);
    return raw.trim() === "" ? fallback : raw;
  }

  private isNumberInRange(name: string, text: string, value: number, rule: NumberRule): boolean {
    const wholeEnough = !rule.integer || Number.isInteger(value);
    const plain = /^-?\d+(\.\d+)?$/.test(text);
    const inRange = value >= (rule.min ?? -Infinity) && value <= (rule.max ?? Infinity);
    if (plain && wholeEnough && inRange) return true;
    const kind = rule.integer ? "a whole number" : "a number";
    this.wrong(name, text, `allowed is ${kind} ${rangeText(rule, String)}`.trimEnd());
    return false;
  }

  /**
   * One problem: the name, the value and what is allowed. A long value is only
   * counted: it may be a secret in the wrong place, and a part of one would no
   * longer be recognised and masked.
   */
  private wrong(name: string, value: string, rest: string): void {
    const shown = `\`${value.replace(/\r?\n/g, "\\n")}\``;
    this.problem(
      `\`${name}\` is ${value.length > 100 ? `a text of ${value.length} characters` : shown}: ${rest}`,
    );
  }
}

/** Inclusive bounds; durations are in milliseconds. */
export interface NumberRule {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

function rangeText(rule: NumberRule, write: (bound: number) => string): string {
  if (rule.min !== undefined && rule.max !== undefined)
    return `from ${write(rule.min)} to ${write(rule.max)}`;
  if (rule.min !== undefined) return `of at least ${write(rule.min)}`;
  if (rule.max !== undefined) return `of at most ${write(rule.max)}`;
  return "";
}

/** Ports, counts and switches beside the secrets of a map: masking `8000` or `true` would blot out half of the log. */
function isPlain(value: string): boolean {
  return /^(true|false|yes|no|on|off|none|null|\d{1,5})$/i.test(value.trim());
}

/** The texts of all inputs that the runner passed. */
export function inputTexts(env: Readonly<Record<string, string | undefined>>): (string | undefined)[] {
  return Object.keys(env)
    .filter((name) => name.startsWith("INPUT_"))
    .map((name) => env[name]);
}
