import { denial, errorOf, type Fault, isLate, Matcher, type When } from "./faults.ts";
import { validate } from "./model/validate.ts";
import { allows, type Policy, wantedOf } from "./policy.ts";
import type { Timeline } from "./timeline.ts";
import { type AwsService, type CallRecord, copy, FakeAwsError, type Json, type Operation } from "./types.ts";

/** What a caller may add to a call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly region?: string;
  /** The request's own bytes, where there were any. */
  readonly raw?: string;
}

/** What is behind the gate. */
export interface GateParts {
  readonly time: Timeline;
  readonly random: () => number;
  readonly operations: Partial<Record<AwsService, Readonly<Record<string, Operation>>>>;
  /** Requests of these operations may hold members that AWS's model does not know. */
  readonly allowUnknown: readonly string[];
  /** The resource of a call, as IAM sees it. */
  readonly resourceOf: (service: AwsService, operation: string, input: Json) => readonly string[];
}

/** The way into the world: writes every call down, lets IAM and the faults have their say, checks both sides. */
export class Gate {
  readonly calls: CallRecord[] = [];
  readonly violations: string[] = [];
  policy: Policy | undefined;
  private readonly parts: GateParts;
  private faults: { readonly matcher: Matcher; readonly fault: Fault }[] = [];
  private readonly hooks: { readonly matcher: Matcher; readonly late: boolean; readonly run: () => void }[] =
    [];
  private readonly denied = new Set<string>();
  private readonly waiting = new Set<(error: Error) => void>();

  constructor(parts: GateParts) {
    this.parts = parts;
  }

  async call(
    service: AwsService,
    operation: string,
    input: Readonly<Json>,
    options: CallOptions,
  ): Promise<Json> {
    options.signal?.throwIfAborted();
    this.parts.time.catchUp();
    const record = this.note(service, operation, copy(input) as Json, options.raw ?? JSON.stringify(input));
    this.runHooks(record, false);
    const fault = this.faults.find(({ matcher }) => matcher.matches(record))?.fault;
    try {
      if (fault !== undefined && !isLate(fault)) return await this.break(fault, record, options.signal);
      const answer = this.perform(record);
      this.runHooks(record, true);
      if (fault !== undefined) return await this.break(fault, record, options.signal);
      Object.assign(record, { answer, status: 200 });
      return copy(answer);
    } catch (error) {
      if (error instanceof FakeAwsError) Object.assign(record, { error: error.code, status: error.status });
      throw error;
    }
  }

  fail(fault: Fault, when: When): void {
    const once = when.nth !== undefined || when.call !== undefined;
    const matcher = new Matcher(once ? { times: 1, ...when } : when, this.parts.random);
    this.faults = [...this.faults, { matcher, fault }];
  }

  heal(): void {
    this.faults = [];
    this.denied.clear();
    this.policy = undefined;
  }

  deny(actions: readonly string[]): void {
    for (const action of actions) this.denied.add(action);
  }

  hook(when: When, late: boolean, run: () => void): void {
    this.hooks.push({ matcher: new Matcher({ times: 1, ...when }, this.parts.random), late, run });
  }

  close(): void {
    for (const reject of this.waiting) reject(new Error("the world was closed"));
    this.waiting.clear();
  }

  private note(service: AwsService, operation: string, input: Json, raw: string): CallRecord {
    const prefix: Partial<Record<AwsService, string>> = { elbv2: "elasticloadbalancing" };
    const record: CallRecord = {
      nth: this.calls.length + 1,
      at: this.parts.time.now(),
      realAt: Date.now(),
      service,
      operation,
      action: `${prefix[service] ?? service}:${operation}`,
      resources: this.parts.resourceOf(service, operation, input),
      raw,
      input,
    };
    this.calls.push(record);
    return record;
  }

  private perform(record: CallRecord): Json {
    const { service, operation, input } = record;
    const allowUnknown = this.parts.allowUnknown.includes(operation);
    this.complain(record, validate(service, operation, "input", input, { allowUnknown }), "request");
    this.authorise(record);
    const run = this.parts.operations[service]?.[operation];
    if (!run) this.complain(record, [`the stand-in does not play ${operation}`], "request");
    const answer = run?.(copy(input)) ?? {};
    const newer = this.parts.allowUnknown.length > 0;
    this.complain(record, validate(service, operation, "output", answer, { allowUnknown: newer }), "answer");
    return answer;
  }

  /** IAM: what is denied by name, and what the policy (when there is one) does not allow. */
  private authorise(record: CallRecord): void {
    for (const { action, resource } of wantedOf(record)) {
      const forbidden = this.denied.has(action) || (this.policy && !allows(this.policy, action, resource));
      if (forbidden) throw denial(record.service, action, resource);
    }
  }

  /** Throws when there is something to complain of. */
  private complain(record: CallRecord, complaints: readonly string[], side: "request" | "answer"): void {
    if (complaints.length === 0) return;
    const text = `${record.service} ${record.operation}, ${side}: ${complaints.join("; ")}`;
    this.violations.push(text);
    throw new FakeAwsError("FakeAwsViolation", text);
  }

  private runHooks(record: CallRecord, late: boolean): void {
    for (const hook of this.hooks) if (hook.late === late && hook.matcher.matches(record)) hook.run();
    this.parts.time.catchUp();
  }

  private break(fault: Fault, record: CallRecord, signal: AbortSignal | undefined): Promise<never> {
    const error = errorOf(fault, record);
    if (error) {
      if (!(error instanceof FakeAwsError)) record.error = "reset";
      return Promise.reject(error);
    }
    record.error = "hang";
    return new Promise((_, reject) => {
      this.waiting.add(reject);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}
