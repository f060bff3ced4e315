/** A file that holds a secret by what it is for. */
interface FileShape {
  readonly what: string;
  /** Tested against the path without its leading `/`. */
  readonly path: RegExp;
  /** Tested against the content; undefined: the file being there is enough. */
  readonly content?: RegExp;
}

/** A larger file is none of these, bytes. */
export const LARGEST_SECRET_FILE = 256 * 1024;

const at = (name: string) => new RegExp(`(?:^|/)${name}$`);

const FILES: readonly FileShape[] = [
  {
    what: "an npm login",
    path: at("\\.npmrc"),
    content: /(?:_authToken|_auth|_password)\s*=\s*["']?(?!\$\{|["'\s])\S/,
  },
  {
    what: "a file of environment settings",
    path: at("\\.env(?:\\.local|\\.[a-z]+\\.local)?"),
    content: /^[ \t]*(?:export[ \t]+)?[A-Za-z_]\w*[ \t]*=[ \t]*["']?[^\s"'#]/m,
  },
  { what: "a Git repository", path: at("\\.git/HEAD") },
  {
    what: "a Docker login",
    path: at("\\.docker/config\\.json"),
    content: /"(?:auth|identitytoken)"\s*:\s*"[^"]/,
  },
  { what: "a network login", path: at("\\.netrc"), content: /password\s+\S/ },
  { what: "a Git login", path: at("\\.git-credentials"), content: /:\/\/[^\s:]*:[^\s@]+@/ },
  { what: "a package index login", path: at("\\.pypirc"), content: /password\s*[:=]\s*\S/ },
  { what: "an AWS login", path: at("\\.aws/credentials"), content: /aws_secret_access_key\s*=\s*\S/ },
  {
    what: "a cluster login",
    path: at("\\.kube/config"),
    content: /(?:token|client-key-data|password)\s*:\s*\S/,
  },
];

/** Whether the file has to be looked into. */
export function mayBeSecretFile(path: string): boolean {
  // Most names are ruled out without a regular expression.
  return /(?:^|\/)\.(?:npmrc|env|git|docker|netrc|pypirc|aws|kube)/.test(path) && !isVendored(path);
}

/** What the file is, when it holds a secret. */
export function secretFile(path: string, content: Buffer): string | undefined {
  const text = content.toString("latin1");
  return FILES.find((shape) => shape.path.test(path) && (shape.content?.test(text) ?? true))?.what;
}

/** Files of installed packages that are there as samples or to test with: their keys open nothing. */
export function isSample(path: string): boolean {
  return (
    isLibrary(path) ||
    // Debian's ssl-cert makes it on every machine, and says by its name what it is worth.
    path === "etc/ssl/private/ssl-cert-snakeoil.key" ||
    path.startsWith("usr/local/go/src/") ||
    (isVendored(path) &&
      (/(?:^|\/)(?:tests?|testing|testdata|__tests__|spec|fixtures?|examples?|docs?|man|dummyserver)\//i.test(
        path,
      ) ||
        /(?:(?:^|[/._-])(?:tests?|spec)\.\w+|\.md)$/i.test(path)))
  );
}

/** A system's library: GnuTLS, which every Debian has, holds the keys that it tests itself with. */
function isLibrary(path: string): boolean {
  return /^(?:usr\/)?(?:local\/)?lib(?:32|64|x32)?\/(?:[^/]+\/)*[^/]+\.(?:so(?:\.\d+)*|a)$/.test(path);
}

function isVendored(path: string): boolean {
  return /(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor|usr\/share|usr\/lib|usr\/local\/lib|usr\/local\/go|go\/pkg\/mod|\.cargo)\//.test(
    path,
  );
}
