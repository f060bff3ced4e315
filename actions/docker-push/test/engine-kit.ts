import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../lib/clock.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { dockerHome } from "../src/engine/docker-home.ts";
import type { BuildSpec, Built, EnginePorts } from "../src/engine/engine.ts";
import { finish } from "../src/image/finish.ts";
import { prepare } from "../src/phases/prepare.ts";
import { COMMIT_TIME, makeFolder } from "./image-kit.ts";

/** A build of a folder; everything else as an empty form. */
export function specOf(context: string, more: Partial<BuildSpec> = {}): BuildSpec {
  return {
    context,
    file: join(context, "Dockerfile"),
    target: "",
    args: new Map(),
    contexts: new Map(),
    platforms: [],
    network: "",
    shmSize: 0,
    ulimits: [],
    addHosts: [],
    noCache: false,
    pull: false,
    secrets: [],
    ssh: [],
    cacheFrom: [],
    cacheTo: [],
    commitTime: COMMIT_TIME,
    load: false,
    ...more,
  };
}

/** A build context with a Dockerfile of these lines and these files. */
export function contextOf(lines: readonly string[], files: Readonly<Record<string, string>> = {}): string {
  const folder = makeFolder();
  writeFileSync(join(folder, "Dockerfile"), `${lines.join("\n")}\n`);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Ports with a log that remembers, in private folders of their own. */
export function portsOf(
  env: Readonly<Record<string, string | undefined>>,
  workspace: string,
  signal = new AbortController().signal,
): EnginePorts & { readonly log: RecordingLog } {
  const folder = makeFolder();
  const dockerConfig = join(folder, "docker");
  mkdirSync(dockerConfig, { mode: 0o700 });
  dockerHome(dockerConfig, env, {});
  return { log: new RecordingLog(), clock: systemClock, signal, env, folder, dockerConfig, workspace };
}

/** What a run makes of the first image that was built: read, made reproducible and compressed. */
export async function finished(built: Built, signal: AbortSignal) {
  const how = { folder: makeFolder(), signal };
  const [image] = await prepare(built.images[0] ?? { path: "", platform: "" }, {
    ...how,
    commitTime: COMMIT_TIME,
    labels: new Map(),
    secretValues: [],
  });
  if (!image) throw new Error("no image");
  return { image, pushed: await finish(image, { ...how, annotations: new Map() }) };
}

/** A folder with programs that answer as told, first on the PATH of the environment returned. */
export function fakePrograms(scripts: Readonly<Record<string, string>>): Record<string, string> {
  const folder = makeFolder();
  for (const [name, script] of Object.entries(scripts))
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { PATH: `${folder}:/usr/bin:/bin`, HOME: folder };
}
