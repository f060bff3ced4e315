import type { Inputs } from "./inputs.ts";
import type { Entry } from "./manifest.ts";
import { environmentFile, fingerprintOf, type Manager, runFile, unitFile } from "./release-files.ts";
import { quote } from "./shell.ts";

/** The new release as it will be on a host: content, settings, start script. */
export interface NewRelease {
  readonly id: string;
  readonly entries: readonly Entry[];
  readonly manifest: string;
  /** `sha256:<hex>` of the manifest. */
  readonly digest: string;
  readonly fingerprint: string;
}

/** Puts together what identifies a release. */
export function describeRelease(
  inputs: Inputs,
  entries: readonly Entry[],
  manifest: string,
  digest: string,
): NewRelease {
  const fingerprint = fingerprintOf(digest, inputs.release, inputs.service);
  return { id: inputs.release.release, entries, manifest, digest, fingerprint };
}

/** The script that writes a release's own files on the host; it holds secrets and so goes over stdin only. */
export function metaScript(
  inputs: Inputs,
  release: NewRelease,
  run: string,
  manager: Manager,
  owner: string,
): string {
  const { target } = inputs.release;
  const meta = `${target}/.goci/releases/${release.id}`;
  const lines = [
    `mkdir -p ${quote(meta)}`,
    `write ${quote(`${meta}/env`)} ${quote(environmentFile(inputs.service, release.id))}`,
    `write ${quote(`${meta}/run`)} ${quote(runFile(target, release.id, inputs.service.command))}`,
    `chmod 644 ${quote(`${meta}/run`)}`,
    `write ${quote(`${meta}/digest`)} ${quote(release.digest)}`,
    `write ${quote(`${meta}/fingerprint`)} ${release.fingerprint}`,
    `write ${quote(`${meta}/run-number`)} ${quote(run)}`,
  ];
  if (owner !== "") lines.push(`chown ${quote(owner)} ${quote(`${meta}/env`)}`);
  if (manager !== "nohup") {
    const user = inputs.service.user;
    lines.push(`write "$C/unit" ${quote(unitFile(inputs.release, inputs.service, manager, user || owner))}`);
  }
  return lines.join("\n");
}
