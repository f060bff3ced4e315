import { describe, expect, test } from "@jest/globals";
import { packagesOf } from "../src/attest/packages.ts";
import { provenanceStatement, sbomWants, spdxDocument } from "../src/attest/statements.ts";
import { prepare } from "../src/phases/prepare.ts";
import { dockerArchive, fileOf, makeFolder, tarOf } from "./image-kit.ts";

const DPKG = `Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u10

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
`;
const APK = "P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\n\nP:busybox\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only\n";
const LOCK = JSON.stringify({
  lockfileVersion: 3,
  packages: {
    "": { name: "app", version: "1.0.0" },
    "node_modules/express": { version: "5.1.0", license: "MIT" },
    "node_modules/a/node_modules/@scope/b": { version: "2.0.0", license: "SEE LICENSE IN x" },
    "node_modules/jest": { version: "30.0.0", dev: true },
    "node_modules/linked": { link: true },
  },
});

function purls(files: Readonly<Record<string, string>>): string[] {
  const map = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));
  return packagesOf(map).map((one) => one.purl);
}

describe("packages of an image", () => {
  test("of Debian, under the distribution's own name; what is deinstalled is not there", () => {
    expect(purls({ "/var/lib/dpkg/status": DPKG })).toEqual([
      "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64",
    ]);
    expect(purls({ "/var/lib/dpkg/status.d/libc6": DPKG, "/etc/os-release": 'ID="ubuntu"\n' })[0]).toMatch(
      /^pkg:deb\/ubuntu\//,
    );
  });

  test("of Alpine, npm and Python", () => {
    expect(purls({ "/lib/apk/db/installed": APK, "/etc/os-release": "NAME=x\nID=alpine\n" })).toEqual([
      "pkg:apk/alpine/busybox@1.36.1-r29?arch=x86_64",
      "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64",
    ]);
    expect(purls({ "/app/package-lock.json": LOCK })).toEqual([
      "pkg:npm/%40scope/b@2.0.0",
      "pkg:npm/express@5.1.0",
    ]);
    expect(purls({ "/app/node_modules/@s/x/package.json": '{"name":"@s/x","version":"1.2.3"}' })).toEqual([
      "pkg:npm/%40s/x@1.2.3",
    ]);
    const python = "Metadata-Version: 2.1\nName: Flask_Thing\nVersion: 3.0\n\nName: not this\n";
    expect(purls({ "/usr/lib/python3/x.dist-info/METADATA": python })).toEqual(["pkg:pypi/flask-thing@3.0"]);
  });

  test("broken files are no packages, and one that is told of twice counts once", () => {
    expect(purls({ "/app/node_modules/x/package.json": "{", "/app/package-lock.json": "[]" })).toEqual([]);
    const manifest = '{"name":"express","version":"5.1.0"}';
    expect(
      purls({ "/app/package-lock.json": LOCK, "/app/node_modules/express/package.json": manifest }),
    ).toHaveLength(2);
  });

  test.each([
    ["/var/lib/dpkg/status", true],
    ["/app/node_modules/express/package.json", true],
    ["/app/node_modules/express/lib/package.json", false],
    ["/app/package-lock.json", true],
    ["/app/src/index.js", false],
  ])("%s is read: %s", (path, wanted) => {
    expect(sbomWants(path)).toBe(wanted);
  });
});

test("an SPDX document of an image: every package once, related to the image by valid ids", async () => {
  const layer = await tarOf([
    { name: "var/lib/dpkg/status", content: DPKG },
    { name: "app/package-lock.json", content: LOCK },
  ]);
  const how = {
    commitTime: 1,
    labels: new Map<string, string>(),
    folder: makeFolder(),
    signal: new AbortController().signal,
  };
  const path = fileOf(await dockerArchive([layer]));
  const [image] = await prepare(
    { path, platform: "" },
    { ...how, secretValues: undefined, wants: sbomWants },
  );
  if (!image) throw new Error("no image");
  const digest = `sha256:${"ab".repeat(32)}`;
  const document = JSON.parse(
    spdxDocument(image, { name: "r.example/a/b", digest, created: "2023-11-14T22:13:20Z" }).toString(),
  );
  expect(document).toMatchObject({
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
  });
  expect(document.documentNamespace).toMatch(/^https:\/\/[^#\s]+$/);
  const ids = document.packages.map((one: { SPDXID: string }) => one.SPDXID);
  expect(new Set(ids).size).toBe(4);
  expect(ids.every((id: string) => /^SPDXRef-[A-Za-z0-9.-]+$/.test(id))).toBe(true);
  const named = new Set([...ids, "SPDXRef-DOCUMENT"]);
  for (const one of document.relationships)
    expect(named.has(one.spdxElementId) && named.has(one.relatedSpdxElement)).toBe(true);
  expect(document.packages[0].checksums).toEqual([{ algorithm: "SHA256", checksumValue: "ab".repeat(32) }]);
  expect(document.packages.map((one: { licenseDeclared: string }) => one.licenseDeclared)).toEqual([
    ...["NOASSERTION", "NOASSERTION", "NOASSERTION", "MIT"],
  ]);
});

test("a provenance statement: subject, source, workflow and run; names of build arguments only", () => {
  const statement = JSON.parse(
    provenanceStatement({
      subjects: [{ name: "r.example/a/b", digest: `sha256:${"cd".repeat(32)}` }],
      repository: "acme/api",
      commit: "e".repeat(40),
      ref: "refs/heads/main",
      workflow: "acme/api/.github/workflows/docker.yml@refs/heads/main",
      event: "push",
      runId: "7",
      runAttempt: "2",
      serverUrl: "https://github.com",
      runner: "github-hosted",
      engine: "classic",
      target: "",
      platforms: [],
      buildArgNames: ["VERSION"],
      startedAt: "2023-11-14T22:13:20Z",
      finishedAt: "2023-11-14T22:14:20Z",
    }).toString(),
  );
  expect(statement).toMatchObject({
    _type: "https://in-toto.io/Statement/v1",
    predicateType: "https://slsa.dev/provenance/v1",
    subject: [{ name: "r.example/a/b", digest: { sha256: "cd".repeat(32) } }],
  });
  const { buildDefinition, runDetails } = statement.predicate;
  expect(buildDefinition.externalParameters.workflow).toEqual({
    repository: "https://github.com/acme/api",
    ref: "refs/heads/main",
    path: ".github/workflows/docker.yml",
  });
  expect(buildDefinition.resolvedDependencies[0]).toEqual({
    uri: "git+https://github.com/acme/api@refs/heads/main",
    digest: { gitCommit: "e".repeat(40) },
  });
  expect(buildDefinition.internalParameters.build.buildArgNames).toEqual(["VERSION"]);
  expect(runDetails.metadata.invocationId).toBe("https://github.com/acme/api/actions/runs/7/attempts/2");
});
