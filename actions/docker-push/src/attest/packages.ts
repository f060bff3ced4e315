/** A package that an image holds. */
export interface FoundPackage {
  readonly name: string;
  readonly version: string;
  /** https://github.com/package-url/purl-spec */
  readonly purl: string;
  /** An SPDX licence id, "" when unknown. */
  readonly license: string;
}

const WANTED = [
  /^\/(?:etc|usr\/lib)\/os-release$/,
  /^\/var\/lib\/dpkg\/status$/,
  /^\/var\/lib\/dpkg\/status\.d\/[^/]+$/,
  /^\/lib\/apk\/db\/installed$/,
  /\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/,
  /\/(?:package-lock|npm-shrinkwrap|\.package-lock)\.json$/,
  /\.(?:dist-info\/METADATA|egg-info\/PKG-INFO)$/,
];

/** Which files of an image tell of packages. */
export function sbomWants(path: string): boolean {
  return WANTED.some((pattern) => pattern.test(path));
}

/** The packages that the files tell of, each once, in the order of their purls. */
export function packagesOf(files: ReadonlyMap<string, Buffer>): FoundPackage[] {
  const distribution = distributionOf(files);
  const found = new Map<string, FoundPackage>();
  for (const [path, bytes] of files) {
    for (const one of readPackages(path, bytes.toString(), distribution)) {
      if (one.name !== "" && one.version !== "") found.set(one.purl, one);
    }
  }
  return [...found.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

function readPackages(path: string, text: string, distribution: string): FoundPackage[] {
  if (path.includes("/dpkg/")) return readDpkg(text, distribution);
  if (path.includes("/apk/")) return readApk(text, distribution);
  if (path.endsWith("lock.json") || path.endsWith("shrinkwrap.json")) return readLock(text);
  if (path.endsWith("package.json")) return readManifest(text);
  if (path.endsWith("METADATA") || path.endsWith("PKG-INFO")) return readPython(text);
  return [];
}

function distributionOf(files: ReadonlyMap<string, Buffer>): string {
  const release = files.get("/etc/os-release") ?? files.get("/usr/lib/os-release");
  return /^ID="?([a-z0-9._-]+)/m.exec(release?.toString() ?? "")?.[1] ?? "";
}

/** Paragraphs of `Key: value` lines; only what is installed counts. */
function readDpkg(text: string, distribution: string): FoundPackage[] {
  return text.split(/\n{2,}/).flatMap((paragraph) => {
    const field = (key: string) => new RegExp(`^${key}: (.*)$`, "m").exec(paragraph)?.[1]?.trim() ?? "";
    const status = field("Status");
    if (status !== "" && !status.endsWith(" installed")) return [];
    const name = field("Package");
    const version = field("Version");
    const arch = field("Architecture");
    return [found("deb", distribution || "debian", name, version, arch ? `arch=${arch}` : "")];
  });
}

/** Paragraphs of one-letter keys. https://wiki.alpinelinux.org/wiki/Apk_spec */
function readApk(text: string, distribution: string): FoundPackage[] {
  return text.split(/\n{2,}/).map((paragraph) => {
    const field = (key: string) => new RegExp(`^${key}:(.*)$`, "m").exec(paragraph)?.[1]?.trim() ?? "";
    const arch = field("A");
    const one = found("apk", distribution || "alpine", field("P"), field("V"), arch ? `arch=${arch}` : "");
    return { ...one, license: licence(field("L")) };
  });
}

interface NpmPackage {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly license?: unknown;
  readonly link?: unknown;
  readonly dev?: unknown;
}

function readManifest(text: string): FoundPackage[] {
  const json = parse(text) as NpmPackage | undefined;
  return json ? [npm(String(json.name ?? ""), json)] : [];
}

/** Versions 2 and 3 of the lock file; what is for development only is not in the image. */
function readLock(text: string): FoundPackage[] {
  const json = parse(text) as { readonly packages?: Readonly<Record<string, NpmPackage>> } | undefined;
  return Object.entries(json?.packages ?? {}).flatMap(([path, one]) => {
    const at = path.lastIndexOf("node_modules/");
    if (at === -1 || one.link === true || one.dev === true) return [];
    return [npm(typeof one.name === "string" ? one.name : path.slice(at + "node_modules/".length), one)];
  });
}

function npm(name: string, one: NpmPackage): FoundPackage {
  const [scope, rest] = name.startsWith("@") ? name.split("/", 2) : ["", name];
  const version = typeof one.version === "string" ? one.version : "";
  const base = found("npm", scope ?? "", rest ?? "", version, "");
  return { ...base, name, license: typeof one.license === "string" ? licence(one.license) : "" };
}

/** Headers as in mail, up to the first empty line. */
function readPython(text: string): FoundPackage[] {
  const head = text.split(/\r?\n\r?\n/, 1)[0] ?? "";
  const field = (key: string) => new RegExp(`^${key}: (.*)$`, "m").exec(head)?.[1]?.trim() ?? "";
  const name = field("Name");
  return [{ ...found("pypi", "", name.toLowerCase().replaceAll("_", "-"), field("Version"), ""), name }];
}

function found(type: string, namespace: string, name: string, version: string, query: string): FoundPackage {
  const path = [namespace, name].filter((part) => part !== "").map(encodeURIComponent);
  const purl = `pkg:${type}/${path.join("/")}@${encodeURIComponent(version)}${query && `?${query}`}`;
  return { name, version, purl, license: "" };
}

/** Only what looks like one SPDX id or an expression of them; free text would make the document invalid. */
function licence(text: string): string {
  const id = "[A-Za-z][A-Za-z0-9.+-]*";
  const expression = new RegExp(`^\\(?${id}(?: (?:AND|OR|WITH) ${id})*\\)?$`);
  return expression.test(text) && !/^(?:UNLICENSED|SEE|NONE|UNKNOWN|custom)$/i.test(text) ? text : "";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A package with a broken manifest is not worth an image.
    return undefined;
  }
}
