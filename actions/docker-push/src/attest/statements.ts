import type { PreparedImage } from "../image/model.ts";
import { type FoundPackage, packagesOf } from "./packages.ts";

export { sbomWants } from "./packages.ts";

/** Media types that tell a registry's user what an attached document is. */
export const SPDX_TYPE = "application/spdx+json";
export const PROVENANCE_TYPE = "application/vnd.in-toto+json";

/** What an SBOM is about. */
export interface SbomSubject {
  /** The image's name without tag. */
  readonly name: string;
  /** `sha256:...` of its manifest. */
  readonly digest: string;
  /** RFC 3339; the commit's time for a document that two runs make alike. */
  readonly created: string;
}

/**
 * An SPDX 2.3 JSON document of what the image holds: packages of the
 * distribution and of lock files. https://spdx.github.io/spdx-spec/v2.3/
 */
export function spdxDocument(image: PreparedImage, subject: SbomSubject): Buffer {
  const packages = packagesOf(image.files);
  const hex = subject.digest.replace("sha256:", "");
  const contains = packages.map((_, index) => ({
    spdxElementId: "SPDXRef-Image",
    relationshipType: "CONTAINS",
    relatedSpdxElement: `SPDXRef-Package-${index + 1}`,
  }));
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: subject.name,
    documentNamespace: `https://spdx.org/spdxdocs/${encodeURIComponent(subject.name)}-${hex}`,
    creationInfo: { created: subject.created, creators: ["Tool: goci-docker-push"] },
    packages: [imagePackage(subject, hex), ...packages.map(spdxPackage)],
    relationships: [
      {
        spdxElementId: "SPDXRef-DOCUMENT",
        relationshipType: "DESCRIBES",
        relatedSpdxElement: "SPDXRef-Image",
      },
      ...contains,
    ],
  };
  return Buffer.from(JSON.stringify(document));
}

const UNKNOWN = "NOASSERTION";

function imagePackage(subject: SbomSubject, hex: string) {
  return {
    SPDXID: "SPDXRef-Image",
    name: subject.name,
    versionInfo: subject.digest,
    primaryPackagePurpose: "CONTAINER",
    checksums: [{ algorithm: "SHA256", checksumValue: hex }],
    ...unasserted(""),
    externalRefs: [purlReference(ociPurl(subject))],
  };
}

/** https://github.com/package-url/purl-spec: the name is the last part, the rest is the repository's address. */
function ociPurl({ name, digest }: SbomSubject): string {
  const last = name.split("/").at(-1) ?? name;
  return `pkg:oci/${encodeURIComponent(last)}@${encodeURIComponent(digest)}?repository_url=${encodeURIComponent(name)}`;
}

function spdxPackage(one: FoundPackage, index: number) {
  return {
    SPDXID: `SPDXRef-Package-${index + 1}`,
    name: one.name,
    versionInfo: one.version,
    ...unasserted(one.license),
    externalRefs: [purlReference(one.purl)],
  };
}

function unasserted(license: string) {
  return {
    downloadLocation: UNKNOWN,
    filesAnalyzed: false,
    licenseConcluded: UNKNOWN,
    licenseDeclared: license || UNKNOWN,
    copyrightText: UNKNOWN,
  };
}

function purlReference(purl: string) {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl };
}

/** What provenance tells; names of build arguments only, never values. */
export interface BuildFacts {
  readonly subjects: readonly { readonly name: string; readonly digest: string }[];
  /** `owner/name`. */
  readonly repository: string;
  readonly commit: string;
  /** `refs/heads/main`. */
  readonly ref: string;
  /** GITHUB_WORKFLOW_REF: `owner/name/.github/workflows/x.yml@refs/heads/main`; "" where the runner does not tell. */
  readonly workflow: string;
  readonly event: string;
  readonly runId: string;
  readonly runAttempt: string;
  /** `https://github.com`. */
  readonly serverUrl: string;
  /** `github-hosted` or `self-hosted`. */
  readonly runner: string;
  readonly engine: string;
  readonly target: string;
  readonly platforms: readonly string[];
  readonly buildArgNames: readonly string[];
  /** RFC 3339. */
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** A SLSA v1 provenance statement (in-toto), unsigned. https://slsa.dev/spec/v1.0/provenance */
export function provenanceStatement(facts: BuildFacts): Buffer {
  const { serverUrl, repository, ref, commit } = facts;
  const [path, workflowRef] = splitWorkflow(facts.workflow);
  const source = `${serverUrl}/${repository}`;
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: facts.subjects.map(({ name, digest }) => ({
      name,
      digest: { sha256: digest.replace("sha256:", "") },
    })),
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "https://actions.github.io/buildtypes/workflow/v1",
        externalParameters: { workflow: { repository: source, ref: workflowRef || ref, path } },
        internalParameters: {
          github: { event_name: facts.event, runner_environment: facts.runner },
          build: {
            engine: facts.engine,
            target: facts.target,
            platforms: facts.platforms,
            buildArgNames: facts.buildArgNames,
          },
        },
        resolvedDependencies: [{ uri: `git+${source}@${ref}`, digest: { gitCommit: commit } }],
      },
      runDetails: {
        builder: { id: `${serverUrl}/actions/runner/${facts.runner}` },
        metadata: {
          invocationId: `${source}/actions/runs/${facts.runId}/attempts/${facts.runAttempt}`,
          startedOn: facts.startedAt,
          finishedOn: facts.finishedAt,
        },
      },
    },
  };
  return Buffer.from(JSON.stringify(statement));
}

/** `owner/name/.github/workflows/x.yml@refs/heads/main` into the path and the ref. */
function splitWorkflow(workflow: string): [path: string, ref: string] {
  const [before = "", ref = ""] = workflow.split("@", 2);
  return [before.split("/").slice(2).join("/"), ref];
}
