import type { AwsService } from "../../aws/call.ts";

/** What every part of the stand-in for AWS speaks about. */

/** A JSON object as it goes over the wire. Times are seconds since the epoch, as in AWS's JSON protocols. */
export type Json = { [name: string]: unknown };

export type { AwsService } from "../../aws/call.ts";

/** What a request asks for, and the protocol to answer in. */
export interface Asked {
  readonly service: AwsService;
  readonly operation: string;
  readonly input: Json;
  readonly protocol: "json" | "query" | "rest-json";
}

/** One call that reached the stand-in, in the order of arrival. */
export interface CallRecord {
  /** Position in the log, from 1. */
  readonly nth: number;
  /** Virtual milliseconds since the epoch. */
  readonly at: number;
  /** The machine's own time in milliseconds; for tests of how fast a real signal is answered. */
  readonly realAt: number;
  readonly service: AwsService;
  readonly operation: string;
  /** The IAM action that the call needs, for example `ecs:UpdateService`. */
  readonly action: string;
  /** The resources that IAM judges it by; `*` where the action knows none. */
  readonly resources: readonly string[];
  /** The request's body, byte for byte; in process: its JSON. */
  readonly raw: string;
  readonly input: Json;
  /** What was answered; empty when the call failed or was never answered. */
  answer?: Json;
  /** The error's code when it was answered with one, or `reset` / `hang`. */
  error?: string;
  /** HTTP status of the answer; absent when the connection was cut or left hanging. */
  status?: number;
}

/** An answer that is an error, in process the thrown value. Shaped like the SDK's own errors. */
export class FakeAwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly $fault: "client" | "server";
  readonly $metadata: { readonly httpStatusCode: number; readonly requestId: string };

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.$fault = status >= 500 ? "server" : "client";
    this.$metadata = { httpStatusCode: status, requestId: "00000000-0000-4000-8000-000000000000" };
  }
}

/** The connection broke. In process it looks as Node's own error does. */
export class ConnectionReset extends Error {
  readonly code = "ECONNRESET";

  constructor() {
    super("read ECONNRESET");
    this.name = "Error";
  }
}

/** A handler of one operation: changes the world and answers in wire form. */
export type Operation = (input: Json) => Json;

/** Seconds since the epoch, as the JSON protocols write a time. */
export function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

/** A copy through JSON: what one caller does to an answer reaches nobody else. */
export function copy<T>(value: T): T {
  return structuredClone(value);
}

/** The object without its undefined members. */
export function defined(members: Json): Json {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
