import compare from "semver/functions/compare.js";
import parse from "semver/functions/parse.js";

/** A version as a git tag or an image tag names it. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `1.16.0` for `v1.16`; build metadata left out, since a tag cannot hold its `+`. */
  readonly text: string;
  readonly isPrerelease: boolean;
}

/** Up to three numbers, and what semver allows behind them. */
const LOOSE = /^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/**
 * Reads `v1.2.3`, `1.2.3-rc.1` and, unlike strict semver, `v1.16` and `v2`:
 * people tag releases so, and a release without a version tag would go unseen.
 */
export function parseVersion(name: string): Version | undefined {
  const parts = LOOSE.exec(name.trim());
  if (!parts) return undefined;
  const [, major = "0", minor = "0", patch = "0", pre = "", build = ""] = parts;
  const numbers = [major, minor, patch].map(Number).join(".");
  const version = parse(`${numbers}${pre}${build}`);
  if (!version) return undefined;
  return {
    major: version.major,
    minor: version.minor,
    patch: version.patch,
    text: version.version,
    isPrerelease: version.prerelease.length > 0,
  };
}

/**
 * The version in a name that someone else gave. A lone number without `v` is
 * none: build numbers and dates look so, and one of them would keep `latest`
 * where it is for ever.
 */
export function versionAmongOthers(name: string): Version | undefined {
  return /^\d+$/.test(name) ? undefined : parseVersion(name);
}

/** The highest version that is no pre-release. */
export function highestRelease(versions: readonly Version[]): Version | undefined {
  return versions
    .filter((version) => !version.isPrerelease)
    .reduce<Version | undefined>((best, next) => (best && !isHigher(next, best) ? best : next), undefined);
}

/** Whether `one` comes after `other` in semver's order. */
export function isHigher(one: Version, other: Version): boolean {
  return compare(one.text, other.text) > 0;
}
