import type { AccessLine } from "../lib/testing/registry.ts";
import type { Edit } from "./project.ts";

/** One job of image.yml that ends with docker.yml, and what is promised of it. */
export interface ImageStage {
  readonly key: string;
  readonly title: string;
  readonly story: string;
  /** The job's name in act's log. */
  readonly job: string;
  readonly promised: string;
}

/** In the order in which they run: each needs the one before. */
export const IMAGE_STAGES: readonly ImageStage[] = [
  {
    key: "image",
    title: "an image of it",
    story: "The artifact of the test job, built into an image, gated and pushed",
    job: "docker/docker/image",
    promised: "succeeded",
  },
  {
    key: "image-again",
    title: "the same commit again",
    story: "The same artifact, built and gated once more",
    job: "again/docker/image",
    promised: "unchanged",
  },
  {
    key: "image-leak",
    title: "a token inside",
    story: "An image in whose lower layer a token lies, deleted in the layer above",
    job: "leak/docker/image",
    promised: "refused: SECRET_IN_IMAGE",
  },
];

/** Put together here, so that no scanner takes this file for a leak. */
const TOKEN = `ghp_${"x7Kd93LmQ2".repeat(3)}b81ZcP`;

/** A stage that copies a file with a token and deletes it again. */
export const LEAKY: readonly Edit[] = [
  {
    file: ".npmrc",
    from: "save-exact=true",
    to: `save-exact=true\n//npm.example.com/:_authToken=${TOKEN}`,
  },
  {
    file: "Dockerfile",
    from: "FROM service AS tested\nCOPY build/ /app/\n",
    to: [
      "FROM service AS tested",
      "COPY build/ /app/",
      "",
      "FROM tested AS leaky",
      "USER 0",
      "COPY .npmrc /app/",
      `RUN ["/app/runtime/node", "--eval", "require('node:fs').rmSync('/app/.npmrc')"]`,
      "USER 10001:10001",
      "",
    ].join("\n"),
  },
];

/** What is known of an image stage when it has ended. */
export interface ImageEvidence {
  readonly outcome: string;
  readonly reason: string;
  /** As docker-push says it. */
  readonly digest: string;
  /** Bytes, 0 when unknown. */
  readonly size: number;
  /** What the registry was asked while the stage ran, by its own log. */
  readonly access: readonly AccessLine[];
  /** Tags of the repository before and after, with the digest that the registry has for each. */
  readonly before: ReadonlyMap<string, string>;
  readonly after: ReadonlyMap<string, string>;
  /** sha256 of the manifest that the registry hands out for the digest, "" for none. */
  readonly manifest: string;
}

const MOST_BYTES = 50e6;
const sent = (access: readonly AccessLine[], ...methods: string[]) =>
  access.filter((line) => methods.includes(line.method));

/** Holds a stage against its promise; the registry is asked, not only the action. */
export function judgeImage(stage: ImageStage, evidence: ImageEvidence): string[] {
  const { outcome, access, before, after } = evidence;
  const broken: string[] = [];
  const expect = (holds: boolean, otherwise: string) => {
    if (!holds) broken.push(otherwise);
  };
  expect(outcome === stage.promised, `promised ${stage.promised}, ended ${outcome || "without an outcome"}`);
  if (stage.promised === "succeeded") {
    expect(after.size > 1, `${after.size} tags were pushed`);
    for (const [tag, digest] of after) {
      expect(digest === evidence.digest, `${tag} names ${digest}, pushed was ${evidence.digest}`);
    }
    expect(evidence.manifest === evidence.digest, `the manifest's sha256 is ${evidence.manifest}`);
    expect(evidence.size > 0 && evidence.size <= MOST_BYTES, `it has ${evidence.size} bytes`);
    return broken;
  }
  const same = after.size === before.size && [...after].every(([tag, digest]) => before.get(tag) === digest);
  expect(same, "a tag was moved or made");
  expect(sent(access, "PUT", "PATCH").length === 0, "something was written to the registry");
  if (stage.promised === "unchanged") {
    expect(sent(access, "POST").length <= 1, "more was posted than the preflight's one");
    expect(evidence.manifest === evidence.digest, `the manifest's sha256 is ${evidence.manifest}`);
  } else {
    expect(sent(access, "POST").length === 0, "an upload was begun");
    expect(evidence.reason !== "", "no reason is given");
    expect(!evidence.reason.includes(TOKEN), "the reason shows the token");
  }
  return broken;
}
