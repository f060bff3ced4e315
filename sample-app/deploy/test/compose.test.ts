import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { findProgram, ROOT, runProgram } from "./servers.ts";

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[] | Readonly<Record<string, { aliases?: string[] }>>;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck: { test: string[]; interval: string; timeout: string; retries: number };
  readonly deploy: { resources: { limits: { cpus: string; memory: string; pids: number } } };
  readonly security_opt: readonly string[];
  readonly cap_drop: readonly string[];
  readonly read_only?: boolean;
  readonly user?: string;
  readonly restart: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const text = readFileSync(join(ROOT, "compose.yaml"), "utf8");
const file = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(file.services);
const networksOf = (service: Service): string[] =>
  Array.isArray(service.networks) ? [...service.networks] : Object.keys(service.networks);
const of = (name: string): Service => {
  const service = file.services[name];
  if (!service) throw new Error(`compose.yaml has no service ${name}`);
  return service;
};

/** Keys of a service that the Compose Specification knows and this file uses. */
const KNOWN = new Set(
  "build cap_add cap_drop command depends_on deploy environment healthcheck hostname image logging networks ports profiles read_only restart security_opt shm_size stop_grace_period tmpfs ulimits user volumes".split(
    " ",
  ),
);

describe("compose.yaml", () => {
  test("starts app, PostgreSQL and pgAdmin on 8000, 5432 and 54321 where no profile is named", () => {
    const plain = services.filter(([, service]) => !service.profiles);
    expect(plain.map(([name, service]) => [name, service.ports])).toEqual([
      ["app", ["127.0.0.1:${APP_PORT:-8000}:8000"]],
      ["db", ["127.0.0.1:${DB_PORT:-5432}:5432"]],
      ["pgadmin", ["127.0.0.1:${PGADMIN_PORT:-54321}:8080"]],
    ]);
  });

  test("has the wider stack under profiles, all of it under `full`", () => {
    const others = services.filter(([, service]) => service.profiles);
    expect(others.map(([name]) => name).sort()).toEqual(
      "app-1 app-2 elasticsearch grafana jaeger kibana nginx prometheus rabbitmq redis storage".split(" "),
    );
    for (const [name, service] of others)
      expect([name, service.profiles]).toEqual([name, [expect.any(String), "full"]]);
  });

  test.each(services)("%s is pinned, watched, limited and hardened", (_name, service) => {
    expect(service.image).toMatch(/^(\$\{APP_IMAGE:-sample-app:local\}|[\w./-]+:v?\d+\.\d+[\w.-]*)$/);
    expect(service.healthcheck).toMatchObject({
      interval: expect.stringMatching(/^\d+s$/),
      retries: expect.any(Number),
    });
    expect(service.healthcheck.test.length).toBeGreaterThan(1);
    const { limits } = service.deploy.resources;
    expect([Number(limits.cpus) > 0, /^\d+M$/.test(limits.memory), limits.pids > 0]).toEqual([
      true,
      true,
      true,
    ]);
    expect([service.restart, service.cap_drop]).toEqual(["unless-stopped", ["ALL"]]);
    expect(service.security_opt).toContain("no-new-privileges:true");
    expect(Object.keys(service).filter((key) => !KNOWN.has(key))).toEqual([]);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+$/);
  });

  test("keeps the networks apart", () => {
    const members = (network: string) =>
      services.filter(([, service]) => networksOf(service).includes(network)).map(([name]) => name);
    expect(members("application").sort()).toEqual(["app", "app-1", "app-2", "nginx"]);
    expect(members("data").sort()).toEqual([
      "app",
      "app-1",
      "app-2",
      "db",
      "pgadmin",
      "rabbitmq",
      "redis",
      "storage",
    ]);
    expect(members("monitoring").sort()).toEqual(
      ["app", "app-1", "app-2", "elasticsearch", "grafana", "jaeger", "kibana", "prometheus"].sort(),
    );
    expect(networksOf(of("nginx"))).toEqual(["edge", "application"]);
    for (const name of ["application", "data", "monitoring"])
      expect(file.networks[name]).toEqual({ internal: true });
    expect(new Set(services.flatMap(([, service]) => networksOf(service)))).toEqual(
      new Set(Object.keys(file.networks)),
    );
    // A port of a service that is on internal networks only would silently not be published.
    for (const [name, service] of services.filter(([, { ports }]) => ports)) {
      const open = networksOf(service).some((network) => !file.networks[network]?.internal);
      expect([name, open]).toEqual([name, true]);
    }
  });

  test("waits only for services that the same profiles start", () => {
    for (const [name, service] of services) {
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        const profiles = of(needed).profiles;
        const comesToo = !profiles || (service.profiles ?? []).every((profile) => profiles.includes(profile));
        expect([name, needed, comesToo, condition]).toEqual([name, needed, true, "service_healthy"]);
      }
    }
  });

  test("the app runs as nobody in particular on a read-only root, and its replicas are alike", () => {
    for (const name of ["app", "app-1", "app-2"]) {
      expect(of(name)).toMatchObject({ user: "10001:10001", read_only: true });
      expect(of(name).networks).toMatchObject({ monitoring: { aliases: ["sample-app"] } });
    }
    expect([of("app-1").environment?.["RELEASE"], of("app-2").environment?.["RELEASE"]]).toEqual([
      "replica-1",
      "replica-2",
    ]);
    expect(of("app-2").environment).toMatchObject({ HOST: "db", PORT: "8000" });
  });

  test(".env.example names every variable, and no other", () => {
    const used = [...text.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, name]) => name);
    const example = readFileSync(join(ROOT, ".env.example"), "utf8");
    const given = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)];
    expect([...new Set(used)].sort()).toEqual(given.map(([, name]) => name).sort());
    for (const [, name, value] of given) {
      const standard = new RegExp(`\\$\\{${name}:-([^}]*)\\}`).exec(text)?.[1];
      if (standard !== undefined) expect([name, value]).toEqual([name, standard]);
    }
  });

  test("every file that it hands to a service is there, and every such file is handed out", () => {
    const mounted = services
      .flatMap(([, service]) => service.volumes ?? [])
      .map((volume) => volume.replace(/^\$\{TLS_FOLDER:-(.*?)\}/, "$1"))
      .filter((volume) => volume.startsWith("./"))
      .map((volume) => volume.split(":")[0] ?? "");
    for (const path of mounted) expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
    const all = readdirSync(join(ROOT, "deploy"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `./${join(entry.parentPath, entry.name).slice(ROOT.length + 1)}`)
      .filter((path) => !/\/(test|tls)\/|\.test\.yml$|\/README\.md$/.test(path));
    const unused = all.filter(
      (path) => !mounted.some((given) => path === given || path.startsWith(`${given}/`)),
    );
    expect(unused).toEqual([]);
  });

  const reader = findComposer();
  (reader ? test : test.skip)("is read by docker compose itself, where it is installed", () => {
    const [program = "", ...args] = reader ?? [];
    const read = runProgram(program, [
      ...[...args, "--env-file", join(ROOT, ".env.example"), "--file", join(ROOT, "compose.yaml")],
      ...["--profile", "full", "config", "--quiet"],
    ]);
    expect(read).toEqual({ code: 0, output: expect.any(String) });
  });
});

function findComposer(): string[] | undefined {
  if (findProgram("docker") && runProgram("docker", ["compose", "version"]).code === 0)
    return ["docker", "compose"];
  return findProgram("docker-compose") ? ["docker-compose"] : undefined;
}
