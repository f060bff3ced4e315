import { setSecret } from "@actions/core";

/** Texts shorter than this are not masked: they would blot out half of the log. */
const SHORTEST = 4;

/**
 * Keeps secrets out of everything that leaves the step. `add` tells the runner
 * before the value is first used; `redact` is applied to every text that goci
 * itself writes (log, report, summary, outputs), because the runner masks the
 * log only.
 */
export class Mask {
  private readonly secrets = new Set<string>();
  /** The same, longest first; undefined while it is to be made anew. */
  private ordered: readonly string[] | undefined;
  private readonly tell: (secret: string) => void;

  constructor(tell: (secret: string) => void = setSecret) {
    this.tell = tell;
  }

  /** Masks a value, each of its lines, and its base64, URL-encoded and JSON-escaped forms. Empty and very short values are ignored. */
  add(value: string): void {
    if (value.trim().length < SHORTEST) return;
    for (const form of formsOf(value)) {
      if (form.length < SHORTEST || this.secrets.has(form)) continue;
      this.secrets.add(form);
      this.ordered = undefined;
      this.tell(form);
    }
  }

  /** The text with every known secret replaced by `***`, longest first so that no tail of one remains. */
  redact(text: string): string {
    let clean = text;
    this.ordered ??= [...this.secrets].sort((a, b) => b.length - a.length);
    for (const secret of this.ordered) {
      if (clean.includes(secret)) clean = clean.replaceAll(secret, "***");
    }
    return clean;
  }

  /** The same for a JSON value: strings inside arrays and objects are redacted, keys are kept. */
  redactJson<T>(value: T): T {
    if (this.secrets.size === 0) return value;
    return JSON.parse(JSON.stringify(value), (_key, item: unknown) =>
      typeof item === "string" ? this.redact(item) : item,
    ) as T;
  }
}

function formsOf(value: string): string[] {
  const whole = value.trim();
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const forms = [value, whole, ...lines];
  if (whole) {
    // Through bytes, since encodeURIComponent throws at half a surrogate pair.
    const bytes = Buffer.from(whole);
    forms.push(bytes.toString("base64"), bytes.toString("base64url"), encodeURIComponent(bytes.toString()));
    forms.push(...[whole, ...lines].map((text) => JSON.stringify(text).slice(1, -1)));
  }
  return [...new Set(forms)];
}
