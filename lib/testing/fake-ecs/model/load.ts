import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { AwsService } from "../types.ts";

/** A shape of AWS's published model, as far as it is read here. */
export interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, Member>>;
  readonly required?: readonly string[];
  readonly member?: Member;
  readonly key?: Member;
  readonly value?: Member;
  readonly enum?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly flattened?: boolean;
  readonly document?: boolean;
}

/** The use of a shape in another one. */
export interface Member {
  readonly shape: string;
  readonly location?: string;
  readonly locationName?: string;
}

/** One operation of a service. */
export interface OperationModel {
  readonly name: string;
  readonly http: { readonly method: string; readonly requestUri: string };
  readonly input?: Member;
  readonly output?: Member & { readonly resultWrapper?: string };
  readonly errors?: readonly Member[];
}

/** A service as AWS publishes it. */
export interface ServiceModel {
  readonly metadata: {
    readonly targetPrefix?: string;
    readonly signingName?: string;
    readonly endpointPrefix: string;
    readonly jsonVersion?: string;
    readonly apiVersion: string;
    readonly xmlNamespace?: string;
  };
  readonly operations: Readonly<Record<string, OperationModel>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

const versions: Readonly<Record<AwsService, string>> = {
  ecs: "2014-11-13",
  logs: "2014-03-28",
  elbv2: "2015-12-01",
  codedeploy: "2014-10-06",
  events: "2015-10-07",
  scheduler: "2021-06-30",
  sts: "2011-06-15",
  ecr: "2015-09-21",
  "ecr-public": "2020-10-30",
};

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "..");
const loaded = new Map<AwsService, ServiceModel>();

/** The published model of a service; throws when the models are not on this machine. */
export function loadModel(service: AwsService): ServiceModel {
  const known = loaded.get(service);
  if (known) return known;
  const file = join(root, ".tools", "models", service, versions[service], "service-2.json.gz");
  if (!existsSync(file)) {
    throw new Error(`AWS's published model of ${service} is missing (${file}): run \`make .tools/.models\``);
  }
  const model = JSON.parse(gunzipSync(readFileSync(file)).toString("utf8")) as ServiceModel;
  loaded.set(service, model);
  return model;
}

/** Every service that the stand-in plays. */
export const services = Object.keys(versions) as readonly AwsService[];
