import { createHash } from "node:crypto";
import { renderEnvironment } from "./environment-file.ts";
import type { ReleaseInputs, ServiceInputs } from "./inputs-release.ts";
import { quote } from "./shell.ts";

/** Who starts the service. */
export type Manager = "systemd" | "systemd-user" | "nohup";

/** The environment file of a release: the user's variables, PORT and the release's id. */
export function environmentFile(service: ServiceInputs, release: string): string {
  return renderEnvironment(
    new Map([["RELEASE_ID", release], ["PORT", String(service.appPort)], ...service.environment]),
  );
}

/**
 * The script that starts a release, the same for every service manager. It
 * first writes down who it is (pid, start, boot), since the pid stays its own
 * through `exec`: a runner or a host script that dies now leaves no unknown process.
 */
export function runFile(target: string, release: string, command: string): string {
  const meta = `${target}/.goci/releases/${release}`;
  return [
    "#!/bin/sh",
    "umask 022",
    'IFS= read -r goci_line <"/proc/$$/stat"',
    "set -- ${goci_line##*) }",
    "shift 19",
    `echo "$$ $1 $(cat /proc/sys/kernel/random/boot_id)" >${quote(`${meta}/pid`)}.$$ 2>/dev/null &&`,
    `  mv -f ${quote(`${meta}/pid`)}.$$ ${quote(`${meta}/pid`)}`,
    "unset SSH_CLIENT SSH_CONNECTION SSH_TTY goci_line",
    "set -a",
    `. ${quote(`${meta}/env`)}`,
    "set +a",
    // The mark of every process that comes of this one, wherever it goes: see strays in service.sh.
    `export GOCI_RELEASE=${quote(`${target}/releases/${release}/`)}`,
    `cd ${quote(`${target}/releases/${release}`)} || exit 1`,
    isPlain(command) ? `exec ${command}` : command,
    "",
  ].join("\n");
}

/** Whether a command is one program with words: then it takes the shell's place, and signals reach it. */
export function isPlain(command: string): boolean {
  return !/[;&|<>()`\n]|\$\(|^\s*(\w+=|exec\s)/.test(command);
}

/** The program that a command starts, "" when that is no file of the release. */
export function programOf(command: string): string {
  const word =
    command.split(/\s+/).find((part) => part !== "" && part !== "exec" && !/^\w+=/.test(part)) ?? "";
  const path = word.replace(/^(\.\/)+/, "");
  return word.includes("/") && !path.startsWith("/") && !path.split("/").includes("..") ? path : "";
}

/**
 * The unit for systemd. It names the deploy root only and so stays the same
 * from release to release: the release is what `current` names when it starts,
 * also after a reboot.
 */
export function unitFile(
  release: ReleaseInputs,
  service: ServiceInputs,
  manager: Manager,
  user: string,
): string {
  const launch = `release=$$(readlink ${release.target}/current) && exec sh ${release.target}/.goci/releases/$\${release##*/}/run`;
  return [
    "[Unit]",
    `Description=${release.appName}`,
    "Wants=network-online.target",
    "After=network-online.target",
    "",
    "[Service]",
    "Type=simple",
    ...(manager === "systemd" && user !== "" && user !== "root" ? [`User=${user}`] : []),
    `ExecStart=/bin/sh -c '${launch}'`,
    "Restart=on-failure",
    "RestartSec=1",
    `TimeoutStopSec=${service.stopSeconds}`,
    "KillMode=control-group",
    ...(manager === "systemd" ? ["NoNewPrivileges=yes", "ProtectSystem=full"] : []),
    "",
    "[Install]",
    `WantedBy=${manager === "systemd" ? "multi-user.target" : "default.target"}`,
    "",
  ].join("\n");
}

/** What decides whether two deployments are the same: content, settings, secrets; not the release's name. */
export function fingerprintOf(digest: string, release: ReleaseInputs, service: ServiceInputs): string {
  const parts = [
    digest,
    renderEnvironment(service.environment),
    service.command,
    String(service.appPort),
    service.user,
    String(service.stopSeconds),
    ...release.sharedPaths,
    "",
    ...release.executable,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
