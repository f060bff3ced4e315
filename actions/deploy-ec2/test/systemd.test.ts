import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parseFacts } from "../src/facts.ts";
import type { ReleaseInputs, ServiceInputs } from "../src/inputs-release.ts";
import { chooseManager } from "../src/inspect.ts";
import { unitFile } from "../src/release-files.ts";
import { Site } from "./site.ts";

const release = { appName: "shop", target: "/opt/shop" } as ReleaseInputs;
const service = { stopSeconds: 10, command: "./main" } as ServiceInputs;

describe("the unit", () => {
  test("starts what `current` names, as the service's user, and stops all of it", () => {
    expect(unitFile(release, service, "systemd", "web")).toBe(
      [
        "[Unit]",
        "Description=shop",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=simple",
        "User=web",
        "ExecStart=/bin/sh -c 'release=$$(readlink /opt/shop/current) && exec sh /opt/shop/.goci/releases/$${release##*/}/run'",
        "Restart=on-failure",
        "RestartSec=1",
        "TimeoutStopSec=10",
        "KillMode=control-group",
        "NoNewPrivileges=yes",
        "ProtectSystem=full",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
        "",
      ].join("\n"),
    );
  });

  test("of a user has no User= and hangs on the user's default target", () => {
    const text = unitFile(release, service, "systemd-user", "web");
    expect(text).not.toContain("User=");
    expect(text).toContain("WantedBy=default.target");
  });

  const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0 ? test : test.skip;
  analyze("passes systemd-analyze verify (where that is installed)", () => {
    const folder = mkdtempSync(join(tmpdir(), "goci-unit-"));
    writeFileSync(join(folder, "shop.service"), unitFile(release, service, "systemd", ""));
    const result = spawnSync("systemd-analyze", ["verify", join(folder, "shop.service")], {
      encoding: "utf8",
    });
    rmSync(folder, { recursive: true });
    expect(result.stderr).not.toMatch(/shop\.service:\d+/);
  });

  test.each([
    ["systemd yes\nuid 0", "auto", "auto", "systemd"],
    ["systemd yes\nuid 1000\nsudo yes", "auto", "auto", "systemd"],
    ["systemd yes\nuid 1000\nsudo yes\nsystemd-user yes", "auto", "never", "systemd-user"],
    ["systemd yes\nuid 1000", "auto", "auto", "nohup"],
    ["uid 0", "auto", "auto", "nohup"],
    ["uid 0\nsystemd yes", "nohup", "auto", "nohup"],
  ] as const)("%j with service-manager %s and sudo %s is %s", (text, manager, sudo, expected) => {
    expect(chooseManager(parseFacts(text).facts, { manager, sudo })).toBe(expected);
  });
});

/** What of systemctl the host script uses, for a machine that has no systemd: starts ExecStart in a session of its own. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >>"$FAKE/calls"
[ "$1" = --user ] && shift
[ "$1" = --quiet ] && shift
main() { cat "$FAKE/pid" 2>/dev/null || echo 0; }
runs() { [ "$(main)" != 0 ] && [ "$(sed -n 's/.*) \\([A-Z]\\) .*/\\1/p' "/proc/$(main)/stat" 2>/dev/null)" != Z ] && kill -0 "$(main)" 2>/dev/null; }
case $1 in
  show-environment | daemon-reload | enable) exit 0 ;;
  show) main ;;
  is-active) if runs; then echo active; else echo inactive; exit 3; fi ;;
  stop)
    if runs; then kill -TERM "-$(main)"; fi
    rm -f "$FAKE/pid" ;;
  restart)
    "$0" stop
    line=$(sed -n "s/^ExecStart=\\/bin\\/sh -c '\\(.*\\)'$/\\1/p" "$XDG_CONFIG_HOME/systemd/user/shop.service" | sed 's/\\$\\$/$/g')
    setsid sh -c "$line" >>"$FAKE/log" 2>&1 </dev/null &
    echo $! >"$FAKE/pid" ;;
esac
`;

describe("a user's service, with a stand-in for systemctl", () => {
  let site: Site;
  let fake: string;

  beforeAll(async () => {
    fake = mkdtempSync(join(tmpdir(), "goci-systemd-"));
    writeFileSync(join(fake, "systemctl"), SYSTEMCTL, { mode: 0o755 });
    writeFileSync(join(fake, "journalctl"), `#!/bin/sh\ntail -n 5 ${fake}/log\n`, { mode: 0o755 });
    site = await Site.open([`SetEnv PATH=${fake}:/usr/bin:/bin XDG_CONFIG_HOME=${fake}/config FAKE=${fake}`]);
  });

  afterAll(async () => {
    await site.close();
    rmSync(fake, { recursive: true, force: true });
  });

  test("is installed, started, replaced, and put back when the new version crashes", async () => {
    const inputs = { "service-manager": "systemd-user" };
    site.build("1");
    const first = await site.deploy("r1", inputs);
    expect({ outcome: first.outputs["outcome"], output: first.output }).toMatchObject({
      outcome: "succeeded",
    });
    expect(await site.ask()).toMatchObject({ version: "1", release: "r1" });
    expect(readFileSync(join(fake, "config/systemd/user/shop.service"), "utf8")).toContain(site.target);
    site.build("2");
    const second = await site.deploy("r2", inputs);
    if (second.outputs["outcome"] !== "succeeded")
      throw new Error(
        [second.output, site.scriptLog(), readFileSync(join(fake, "calls"), "utf8")].join("--"),
      );
    expect(await site.ask()).toMatchObject({ version: "2" });
    site.build("3", "crash");
    const bad = await site.deploy("r3", inputs);
    expect({ outcome: bad.outputs["outcome"], output: bad.output }).toMatchObject({ outcome: "rolled-back" });
    expect(bad.outputs["failure-code"]).toBe("START_FAILED");
    expect(bad.output).toContain("cannot find the flux capacitor");
    expect(await site.ask()).toMatchObject({ version: "2" });
    const calls = execFileSync("cat", [join(fake, "calls")], { encoding: "utf8" });
    // The unit is the same for every release: it is loaded once.
    expect(calls.match(/daemon-reload/g)).toHaveLength(1);
  });
});
