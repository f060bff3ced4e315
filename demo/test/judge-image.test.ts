import { describe, expect, test } from "@jest/globals";
import { IMAGE_STAGES, type ImageEvidence, type ImageStage, judgeImage } from "../image-stages.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;
const TAGS = new Map([
  ["latest", DIGEST],
  ["main", DIGEST],
]);
const read = { method: "GET", target: "/v2/", status: 200 };
const wrote = { method: "PUT", target: "/v2/team/shop/manifests/main", status: 201 };
const began = { method: "POST", target: "/v2/team/shop/blobs/uploads/", status: 202 };

function stageOf(promised: string): ImageStage {
  const stage = IMAGE_STAGES.find((item) => item.promised === promised);
  if (!stage) throw new Error(`no stage promises ${promised}`);
  return stage;
}

const PUSHED: ImageEvidence = {
  outcome: "succeeded",
  reason: "",
  digest: DIGEST,
  size: 43e6,
  access: [read, began, wrote],
  before: new Map(),
  after: TAGS,
  manifest: DIGEST,
};
const AGAIN: ImageEvidence = { ...PUSHED, outcome: "unchanged", access: [read, began], before: TAGS };
const LEAK: ImageEvidence = {
  ...AGAIN,
  outcome: "refused: SECRET_IN_IMAGE",
  reason: "/app/.npmrc holds a token",
  access: [read],
};

describe("an image stage is held against its promise", () => {
  test.each<[string, ImageEvidence]>([
    ["succeeded", PUSHED],
    ["unchanged", AGAIN],
    ["refused: SECRET_IN_IMAGE", LEAK],
  ])("%s is believed where the registry says so too", (promised, evidence) => {
    expect(judgeImage(stageOf(promised), evidence)).toEqual([]);
  });

  test.each<[string, string, ImageEvidence]>([
    ["a tag with another digest", "succeeded", { ...PUSHED, after: new Map([...TAGS, ["main", OTHER]]) }],
    ["a manifest that is another", "succeeded", { ...PUSHED, manifest: OTHER }],
    ["an image too large", "succeeded", { ...PUSHED, size: 51e6 }],
    ["no tag", "succeeded", { ...PUSHED, after: new Map() }],
    ["another outcome", "unchanged", { ...AGAIN, outcome: "succeeded" }],
    ["a write", "unchanged", { ...AGAIN, access: [wrote] }],
    ["two uploads begun", "unchanged", { ...AGAIN, access: [began, began] }],
    ["a moved tag", "refused: SECRET_IN_IMAGE", { ...LEAK, after: new Map([...TAGS, ["main", OTHER]]) }],
    ["a new tag", "refused: SECRET_IN_IMAGE", { ...LEAK, after: new Map([...TAGS, ["x", DIGEST]]) }],
    ["an upload begun", "refused: SECRET_IN_IMAGE", { ...LEAK, access: [began] }],
    ["no reason", "refused: SECRET_IN_IMAGE", { ...LEAK, reason: "" }],
    ["another failure", "refused: SECRET_IN_IMAGE", { ...LEAK, outcome: "refused: DENIED" }],
  ])("%s breaks it", (_what, promised, evidence) => {
    expect(judgeImage(stageOf(promised), evidence)).toHaveLength(1);
  });
});
