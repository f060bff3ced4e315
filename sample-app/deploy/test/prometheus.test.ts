import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parse, stringify } from "yaml";
import type { ServiceProcess } from "../../test/service-process.ts";
import {
  freePort,
  makeFolder,
  ROOT,
  runProgram,
  type Server,
  startInstance,
  startServer,
  stopInstance,
  until,
} from "./servers.ts";

interface Rules {
  groups: { name: string; rules: { alert?: string; record?: string; expr: string }[] }[];
}
interface Config {
  global: Record<string, string>;
  scrape_configs: { job_name: string; dns_sd_configs?: unknown; static_configs?: { targets: string[] }[] }[];
}
interface Dashboard {
  panels: { title: string; targets: { expr: string }[]; gridPos: Record<"x" | "y" | "w" | "h", number> }[];
  annotations: { list: { expr: string }[] };
}

const FOLDER = join(ROOT, "deploy/prometheus");
const rules = parse(readFileSync(join(FOLDER, "rules.yml"), "utf8")) as Rules;
const all = rules.groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(
  readFileSync(join(ROOT, "deploy/grafana/dashboards/sample-app.json"), "utf8"),
) as Dashboard;

/** Every query of the dashboard, with Grafana's variables filled in as it would. */
const queries = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ...dashboard.annotations.list.map(({ expr }) => ["annotation", expr] as const),
].map(
  ([title, expr]) =>
    [title, expr.replaceAll("$instance", ".*").replaceAll("$__rate_interval", "5m")] as const,
);

describe("rules and configuration of Prometheus", () => {
  const folder = makeFolder();
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("are valid", () => {
    const checked = runProgram("promtool", ["check", "config", join(FOLDER, "prometheus.yml")]);
    expect(checked).toEqual({ code: 0, output: expect.stringContaining("11 rules found") });
  });

  test("every alert fires when it should and not before", () => {
    const tested = runProgram("promtool", ["test", "rules", join(FOLDER, "rules.test.yml")]);
    expect(tested).toEqual({ code: 0, output: expect.stringContaining("SUCCESS") });
  });

  const alerts = all.flatMap(({ alert }) => (alert ? [alert] : []));
  test.each(alerts)("%s is tested: a rule that never fires is found out", (name) => {
    cpSync(FOLDER, folder, { recursive: true });
    const broken = structuredClone(rules);
    for (const rule of broken.groups.flatMap((group) => group.rules)) {
      if (rule.alert === name) rule.expr = "vector(0) > 1";
    }
    writeFileSync(join(folder, "rules.yml"), stringify(broken));
    const tested = runProgram("promtool", ["test", "rules", join(folder, "rules.test.yml")]);
    expect(tested.code).not.toBe(0);
    expect(tested.output).toContain(name);
  });

  test("the dashboard's queries are PromQL, and its panels fill their places without overlap", () => {
    const file = join(folder, "queries.yml");
    const asRules = queries.map(([, expr], index) => ({ record: `query_${index}`, expr }));
    writeFileSync(file, stringify({ groups: [{ name: "dashboard", rules: asRules }] }));
    expect(runProgram("promtool", ["check", "rules", file])).toMatchObject({ code: 0 });
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, x < 24, taken.has(`${x},${y}`)]).toEqual([title, true, false]);
          taken.add(`${x},${y}`);
        }
      }
    }
  });
});

describe("Prometheus beside the service", () => {
  const folder = makeFolder();
  let instance: (ServiceProcess & { port: number }) | undefined;
  let server: Server | undefined;
  let port = 0;

  beforeAll(async () => {
    instance = await startInstance("one");
    port = await freePort();
    for (const path of ["/bruno", "/students", "/nowhere/at/all"]) {
      await fetch(`http://127.0.0.1:${instance.port}${path}`);
    }
    cpSync(FOLDER, folder, { recursive: true });
    // The file as it is, but for where the instance is found and how often it is asked.
    const config = parse(readFileSync(join(FOLDER, "prometheus.yml"), "utf8")) as Config;
    for (const scrape of config.scrape_configs) {
      if (scrape.job_name !== "sample-app") continue;
      delete scrape.dns_sd_configs;
      scrape.static_configs = [{ targets: [`127.0.0.1:${instance.port}`] }];
    }
    Object.assign(config.global, {
      scrape_interval: "200ms",
      scrape_timeout: "200ms",
      evaluation_interval: "200ms",
    });
    writeFileSync(join(folder, "prometheus.yml"), stringify(config));
    server = startServer("prometheus", [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
  });
  afterAll(async () => {
    await server?.stop();
    await stopInstance(instance);
    rmSync(folder, { recursive: true, force: true });
  });

  async function ask(expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`;
    const answer = (await (await fetch(url)).json()) as {
      status: string;
      error?: string;
      data: { result: never };
    };
    if (answer.status !== "success") throw new Error(`${expr}: ${answer.error}`);
    return answer.data.result;
  }
  const first = async (expr: string) =>
    until(
      async () => (await ask(expr))[0],
      () => `${expr}\n${server?.output()}`,
    );

  test("reads its metrics", async () => {
    expect((await first('up{job="sample-app"} == 1')).metric["instance"]).toBe(`127.0.0.1:${instance?.port}`);
    expect((await first('http_requests_total{route="/:name"}')).value[1]).toBe("1");
    expect((await first("app_info")).metric).toMatchObject({ release: "one" });
  });

  test("gives an answer to every query of the dashboard", async () => {
    await first("sample_app:requests:rate5m > 0");
    for (const [title, expr] of queries) {
      // A comparison is rightly empty while nothing is wrong: asked is what it compares.
      const asked = expr.replace(/ > 0$/, "");
      expect([title, (await first(asked)).value[1]]).toEqual([
        title,
        expect.stringMatching(/^(\+?[\d.e+-]+|NaN)$/),
      ]);
    }
  });

  test("evaluates every rule without an error", async () => {
    const evaluated = await until(
      async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/rules`);
        const { data } = (await answer.json()) as {
          data: { groups: { rules: { name: string; health: string }[] }[] };
        };
        const found = data.groups.flatMap((group) => group.rules);
        return found.some(({ health }) => health === "unknown") ? undefined : found;
      },
      () => "some rule has not been evaluated",
    );
    expect(evaluated.map(({ name }) => name).sort()).toEqual(
      all.map((rule) => rule.alert ?? rule.record).sort(),
    );
    expect(evaluated.filter(({ health }) => health !== "ok")).toEqual([]);
  });
});
