import { afterAll, beforeAll, beforeEach } from "@jest/globals";
import { type Aws, connectAws } from "../../../lib/aws/client.ts";
import { AwsError } from "../../../lib/aws/errors.ts";
import { type Loopback, openLoopback } from "../../../lib/aws/test/loopback.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { loaders } from "../src/api/sdk.ts";

/** The secret key that requests of these tests are signed with. */
export const SECRET = "not-a-real-secret-key";

const SERVICES = [
  "CLOUDWATCH_LOGS",
  "CODEDEPLOY",
  "ECS",
  "ELASTIC_LOAD_BALANCING_V2",
  "EVENTBRIDGE",
  "SCHEDULER",
];

/** The real SDK against a server on loopback; `log` and `masked` are new for each test. */
export interface Wire {
  readonly server: Loopback;
  readonly log: RecordingLog;
  readonly masked: string[];
  connect(options?: { readonly region?: string; readonly timeoutMs?: number }): Aws;
}

/** Opens the wire for the tests of the file that calls it, with an environment that knows nothing else of AWS. */
export function openWire(): Wire {
  const saved = { ...process.env };
  const wire = { masked: [] as string[] } as { -readonly [name in keyof Wire]: Wire[name] };
  const forget = () => {
    for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
  };
  wire.connect = (options = {}) => {
    const mask = { add: (value: string) => wire.masked.push(value) };
    return connectAws({ loaders, region: "", env: process.env, log: wire.log, mask, ...options });
  };
  beforeAll(async () => {
    wire.server = await openLoopback();
  });
  beforeEach(() => {
    wire.server.heard.length = 0;
    wire.server.replies = [{ status: 200, body: "{}" }];
    wire.log = new RecordingLog();
    wire.masked = [];
    forget();
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: SECRET,
      AWS_REGION: "eu-west-1",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/nowhere/config",
      AWS_SHARED_CREDENTIALS_FILE: "/nowhere/credentials",
    });
    for (const name of SERVICES) process.env[`AWS_ENDPOINT_URL_${name}`] = wire.server.url;
  });
  afterAll(async () => {
    forget();
    Object.assign(process.env, saved);
    await wire.server.close();
  });
  return wire;
}

/** What a call was refused with; a test fails when it was not. */
export async function refusal(promise: Promise<unknown>): Promise<AwsError> {
  const error = await promise.then(
    () => "no refusal",
    (found: unknown) => found,
  );
  if (!(error instanceof AwsError)) throw new Error(`not an AwsError: ${String(error)}`);
  return error;
}
