/**
 * Makes the root filesystem that the image stands on, from this machine and without a network: the shared
 * libraries that Node needs and the loader, CA certificates, and two accounts. No shell, no package manager.
 *
 *     node scripts/make-base.ts <folder>                     into a folder that does not exist yet
 *     node scripts/make-base.ts <file.tar>                   as an archive for `docker import`
 *     node scripts/make-base.ts --with-node <file.tar>       Node as well: an image that can build the base
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Bundles of authorities as Debian, Fedora and Alpine place them. */
const AUTHORITIES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
];

/** Loaded by name at run time, so that no list of needed libraries tells them; part of libc since glibc 2.34. */
const NAME_SERVICE = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

const FILES: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/:/sbin/nologin\napp:x:10001:10001:app:/app:/sbin/nologin\n",
  "etc/group": "root:x:0:\napp:x:10001:\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
};

/** Paths of the loader and of every library that the dynamic loader finds for a program. */
export function librariesOf(program: string): string[] {
  // What ldd does, without the shell that ldd is written for.
  const env = { ...process.env, LD_TRACE_LOADED_OBJECTS: "1" };
  const text = execFileSync(program, { env, encoding: "utf8" });
  const missing = text.split("\n").filter((line) => line.includes("not found"));
  if (missing.length > 0) throw new Error(`${program} lacks libraries here: ${missing.join("; ").trim()}`);
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}

function fill(root: string, withNode: boolean): void {
  const libraries = librariesOf(process.execPath);
  const libc = libraries.find((path) => path.includes("/libc."));
  if (!libc) throw new Error(`${process.execPath} is linked statically: there is no libc to take along`);
  const named = NAME_SERVICE.map((name) => join(dirname(libc), name)).filter((path) => existsSync(path));
  for (const path of [...libraries, ...named]) place(path, join(root, path), 0o755);
  const authorities = AUTHORITIES.find((path) => existsSync(path));
  if (authorities) place(authorities, join(root, "etc/ssl/certs/ca-certificates.crt"), 0o644);
  else console.log("no CA certificates on this machine: the base has none (apt-get install ca-certificates)");
  for (const [path, text] of Object.entries(FILES)) write(join(root, path), text);
  mkdirSync(join(root, "tmp"));
  chmodSync(join(root, "tmp"), 0o1777);
  if (withNode) place(process.execPath, join(root, "usr/local/bin/node"), 0o755);
}

function place(from: string, to: string, mode: number): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, mode);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o644 });
}

/** One order, one owner, one time: the same machine makes the same bytes. */
function pack(root: string, file: string): void {
  const same = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"];
  execFileSync("tar", [...same, "--create", "--file", file, "--directory", root, "."]);
}

function main(args: readonly string[]): void {
  const withNode = args[0] === "--with-node";
  const [target, ...rest] = withNode ? args.slice(1) : args;
  if (!target || target.startsWith("-") || rest.length > 0) {
    console.error("usage: node scripts/make-base.ts [--with-node] <folder or file.tar>");
    process.exitCode = 2;
    return;
  }
  const place = resolve(target);
  const archive = place.endsWith(".tar");
  if (!archive && existsSync(place)) throw new Error(`${place} exists: name a folder that does not`);
  const scratch = mkdtempSync(join(tmpdir(), "sample-app-base-"));
  try {
    chmodSync(scratch, 0o755);
    fill(scratch, withNode);
    if (archive) pack(scratch, place);
    else cpSync(scratch, place, { recursive: true });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log(`${place} is ready`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`make-base failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
