import type { Mask } from "./mask.ts";

/** Where an annotation points; `file` is relative to the repository. */
export interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly title: string;
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
}

/** The step's log, as a port: domain code gets one and never prints by itself. */
export interface Log {
  /** One line (or several) for the reader; what it holds can never act as a workflow command. */
  info(text: string): void;
  /** A warning annotation without a place. */
  warn(text: string): void;
  /** Shown only when the runner's debug logging is on. */
  debug(text: string): void;
  annotate(annotation: Annotation): void;
  /** A foldable group around `body`; closed also when the body throws. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
}

/**
 * Makes text harmless to the runner's command parser, which acts on lines that
 * start with `::` (after white space) and on `##[` anywhere in a line.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function neutralise(text: string): string {
  return (
    text
      .replace(/\r\n?/g, "\n")
      // White space as .NET trims it: U+0085 too. Line by line, so that many blank lines cost no more than few.
      .replace(/(^|\n)((?:[^\S\n]|\u0085)*):(?=:)/g, "$1$2:\u2060")
      .replace(/##(?=\[)/g, "#\u2060#")
  );
}

/** Escapes the value part of a workflow command. */
export function escapeData(text: string): string {
  return text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

/** Escapes a property of a workflow command. */
export function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
}

/** A log that writes the runner's workflow commands; every text is redacted first. */
export class RunnerLog implements Log {
  private readonly mask: Mask;
  private readonly write: (text: string) => void;
  private readonly debugOn: boolean;
  private depth = 0;

  constructor(mask: Mask, write: (text: string) => void, debugOn = false) {
    this.mask = mask;
    this.write = write;
    this.debugOn = debugOn;
  }

  info(text: string): void {
    this.write(`${neutralise(this.mask.redact(text))}\n`);
  }

  warn(text: string): void {
    this.write(`::warning::${escapeData(this.mask.redact(text))}\n`);
  }

  debug(text: string): void {
    if (this.debugOn) this.write(`::debug::${escapeData(this.mask.redact(text))}\n`);
  }

  annotate(annotation: Annotation): void {
    const properties = [`title=${escapeProperty(this.mask.redact(annotation.title))}`];
    if (annotation.file) properties.push(`file=${escapeProperty(this.mask.redact(annotation.file))}`);
    if (annotation.line) properties.push(`line=${annotation.line}`);
    const message = escapeData(this.mask.redact(annotation.message));
    this.write(`::${annotation.level} ${properties.join(",")}::${message}\n`);
  }

  async group<T>(title: string, body: () => Promise<T>): Promise<T> {
    // Groups do not nest on the runner: an inner one would close the outer.
    if (this.depth === 0) this.write(`::group::${escapeData(this.mask.redact(title))}\n`);
    else this.info(title);
    this.depth++;
    try {
      return await body();
    } finally {
      this.depth--;
      if (this.depth === 0) this.write("::endgroup::\n");
    }
  }
}

/** A log that remembers, for tests and for code that must stay silent. */
export class RecordingLog implements Log {
  readonly lines: string[] = [];
  readonly annotations: Annotation[] = [];

  info(text: string): void {
    this.lines.push(text);
  }

  warn(text: string): void {
    this.lines.push(`warning: ${text}`);
  }

  debug(): void {}

  annotate(annotation: Annotation): void {
    this.annotations.push(annotation);
  }

  async group<T>(title: string, body: () => Promise<T>): Promise<T> {
    this.lines.push(`# ${title}`);
    return body();
  }
}
