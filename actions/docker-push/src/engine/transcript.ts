/** A build step as the builder's output tells it. */
export interface Step {
  /** The builder's own number: `#5`, or the count of steps so far. */
  readonly id: string;
  /** The instruction as printed, for example `RUN make`. */
  readonly text: string;
  /** The last lines that it printed. */
  readonly output: string[];
  cached: boolean;
}

/** Lines of a step that a message shows. */
const SHOWN_LINES = 20;

const CLASSIC_STEP = /^Step (\d+)\/\d+ : (.*)$/;
const BUILDAH_STEP = /^(?:\[[^\]]*\] )?STEP (\d+)(?:\/\d+)?: (.*)$/;
/** `#7 [build 2/5] RUN make`; `[internal]` steps are the builder's own. */
const BUILDKIT_STEP = /^#(\d+) \[(?!internal\])(?:[^\]]* )?\d+\/\d+\] (.*)$/;

/**
 * Follows a builder's output line by line, whichever builder it is: which steps
 * there are, which came from the cache, and what the failing one printed.
 */
export class Transcript {
  private readonly steps = new Map<string, Step>();
  private current: Step | undefined;
  private failed: Step | undefined;
  private readonly tail: string[] = [];
  /** The line that BuildKit itself names (`Dockerfile:3`), 0 when it does not. */
  private place = 0;

  add(line: string): void {
    this.tail.push(line);
    if (this.tail.length > 2 * SHOWN_LINES) this.tail.shift();
    const place = /^\S+:(\d+)$/.exec(line);
    if (place) this.place = Number(place[1]);
    const plain = CLASSIC_STEP.exec(line) ?? BUILDAH_STEP.exec(line);
    const kit = BUILDKIT_STEP.exec(line);
    if (plain) this.begin(String(this.steps.size + 1), plain[2] ?? "");
    else if (kit) this.begin(`#${kit[1]}`, kit[2] ?? "");
    else if (/^#\d+ /.test(line)) this.addBuildKit(line);
    else this.addPlain(line);
  }

  /** How many steps there were, and how many of them came from the cache. */
  counts(): { readonly steps: number; readonly cachedSteps: number } {
    // A base image is not built: it counts neither way.
    const built = [...this.steps.values()].filter((step) => !/^FROM\b/i.test(step.text));
    return { steps: built.length, cachedSteps: built.filter((step) => step.cached).length };
  }

  /** What is known of a failure: the step (undefined before the first), its line where told, its last lines. */
  failure(): { readonly step: Step | undefined; readonly line: number; readonly lines: readonly string[] } {
    const step = this.failed ?? this.current;
    const lines = step && step.output.length > 0 ? step.output : this.tail;
    return { step, line: this.place, lines: lines.slice(-SHOWN_LINES) };
  }

  private begin(id: string, text: string): void {
    const known = this.steps.get(id);
    this.current = known ?? { id, text, output: [], cached: false };
    this.steps.set(id, this.current);
  }

  /** `#7 0.214 text`, `#7 CACHED`, `#7 ERROR: ...`. */
  private addBuildKit(line: string): void {
    const [id = "", ...words] = line.split(" ");
    const step = this.steps.get(id);
    if (!step) return;
    const rest = words.join(" ");
    if (rest === "CACHED") step.cached = true;
    else if (rest.startsWith("ERROR")) this.failed = step;
    else if (rest !== "" && !rest.startsWith("DONE")) keep(step, rest.replace(/^\d+\.\d+ /, ""));
  }

  private addPlain(line: string): void {
    const step = this.current;
    if (!step || line === "" || step.id.startsWith("#")) return;
    if (/^(?: ?---> Using cache|--> Using cache )/.test(line)) step.cached = true;
    else if (!/^(?: ?--->|-->|Removing intermediate|Removed intermediate)/.test(line)) keep(step, line);
  }
}

function keep(step: Step, line: string): void {
  step.output.push(line);
  if (step.output.length > SHOWN_LINES) step.output.shift();
}
