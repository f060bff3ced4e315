import { RemoteError } from "../../../../lib/errors.ts";
import type { Answer } from "./transport.ts";

/** Where and at what a request was refused. */
export interface Place {
  /** The registry as people write it. */
  readonly registry: string;
  /** The repository within it, empty where none is meant. */
  readonly path: string;
  /** What was asked for: `store the manifest under 1.4.2`. */
  readonly what: string;
  /** Set when a tag was written. */
  readonly tag?: string;
}

/** One line of what the registry said: its error codes and messages, else the start of a text body. */
export function said(answer: Answer): string {
  const text = answer.body.toString("utf8");
  const parsed = parseErrors(text);
  const line =
    parsed ||
    text
      .replace(/<[^>]*>/g, " ")
      .replace(/\s+/g, " ")
      .trim()
      .slice(0, 200);
  return line === "" ? `status ${answer.status}` : `status ${answer.status}, ${line}`;
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes; not every answer is JSON. */
function parseErrors(text: string): string {
  try {
    const body = JSON.parse(text) as { errors?: unknown; message?: unknown; details?: unknown } | null;
    const errors = Array.isArray(body?.errors) ? body.errors : body ? [body] : [];
    const lines = errors.map((item: { code?: unknown; message?: unknown; details?: unknown } | null) =>
      [item?.code, item?.message ?? item?.details]
        .filter((part) => typeof part === "string" && part !== "")
        .join(" "),
    );
    return lines
      .filter((line) => line !== "")
      .join("; ")
      .slice(0, 500);
  } catch {
    return "";
  }
}

/** The failure that a final answer stands for; only for answers that are no success and not worth a retry. */
export function refusal(answer: Answer, place: Place): RemoteError {
  const words = said(answer);
  const target = place.path === "" ? place.registry : `${place.registry}/${place.path}`;
  const fail = (code: string, message: string, fix: string) =>
    new RemoteError(`${message}: ${words}`, { code, fix, evidence: [`${place.what}: ${words}`] });
  if (/TOOMANYREQUESTS|rate limit/i.test(words)) {
    return fail(
      "RATE_LIMITED",
      `${place.registry} takes no more requests`,
      "run again later, or log in with an account that has a higher limit",
    );
  }
  // A conflict (409; Harbor answers 412) at a tag's PUT has no other meaning, whatever the words.
  const conflicts = answer.status === 409 || answer.status === 412;
  if (
    place.tag !== undefined &&
    (conflicts || /immutable|cannot be overwritten|already exists/i.test(words))
  ) {
    return fail(
      "TAG_IMMUTABLE",
      `${target}:${place.tag} exists and the registry forbids to move it`,
      "push under another tag; an immutable tag names one image for ever",
    );
  }
  if (/DIGEST_INVALID/.test(words)) {
    return fail(
      "DIGEST_MISMATCH",
      `${target}: the registry got other bytes than were sent`,
      "run again; if it stays, a proxy between here and the registry changes content",
    );
  }
  if (place.tag !== undefined && /TAG_INVALID|MANIFEST_UNKNOWN|page not found/i.test(words)) {
    return fail(
      "TAG_INVALID",
      `${place.registry} does not take the tag \`${place.tag}\``,
      "use letters, digits, ., _ and -, at most 128 characters",
    );
  }
  if (answer.status === 404 || /NAME_UNKNOWN|NAME_INVALID|RepositoryNotFound/.test(words)) {
    return fail("NAME_UNKNOWN", `${target} does not exist`, nameFix(place));
  }
  if (answer.status === 401 || answer.status === 403 || /\bDENIED\b|UNAUTHORIZED/.test(words)) {
    return fail("DENIED", `no right to push to ${target}`, deniedFix(place));
  }
  if (answer.status === 405) {
    return fail(
      "DENIED",
      `${place.registry} takes no uploads`,
      "push to the registry itself, not to a mirror or a read-only copy",
    );
  }
  return fail(
    "PUSH_REFUSED",
    `${target}: could not ${place.what}`,
    "read what the registry says; it refuses this content or request",
  );
}

/** The login was refused; never tried twice, since registries lock accounts out. */
export function loginFailed(registry: string, words: string, hasCredentials: boolean): RemoteError {
  if (!hasCredentials) {
    return new RemoteError(`${registry} asks for a login and none is given: ${words}`, {
      code: "LOGIN_FAILED",
      fix: `give \`username\` and \`password\` with \`registry: ${registry}\`, or an entry in \`registry-auth\``,
    });
  }
  return new RemoteError(`${registry} refused the login: ${words}`, {
    code: "LOGIN_FAILED",
    fix: `check user name and password (or token) for ${registry}; a token may have expired${hubFix(registry)}`,
  });
}

/** What to do when a login works and the right to push is missing. */
export function deniedFix(place: Pick<Place, "registry" | "path">): string {
  if (place.registry === "ghcr.io") {
    return "give the job `permissions: packages: write`, and the repository write access under the package's settings (Manage Actions access)";
  }
  if (isEcr(place.registry)) {
    return "allow ecr:InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, PutImage, BatchCheckLayerAvailability and BatchGetImage on the repository";
  }
  if (place.registry === "docker.io") {
    return `check that the account may write to ${place.path} and that its access token has the Read & Write scope; the name is <user or organisation>/<repository>`;
  }
  return `give the account the right to push to ${place.path}`;
}

function nameFix(place: Pick<Place, "registry" | "path">): string {
  if (isEcr(place.registry)) {
    return `create the repository (aws ecr create-repository --repository-name ${place.path}) or set \`ecr-create-repository: true\``;
  }
  if (place.registry === "docker.io")
    return "on Docker Hub the name is <user or organisation>/<repository>; check both parts";
  return `create ${place.path} on ${place.registry}, or correct the name in \`images\``;
}

function hubFix(registry: string): string {
  return registry === "docker.io" ? "; Docker Hub wants an access token where two-factor login is on" : "";
}

/** Whether this host is an Amazon registry. */
export function isEcr(host: string): boolean {
  return host === "public.ecr.aws" || /^\d{12}\.dkr[.-]ecr[.-]/.test(host);
}
