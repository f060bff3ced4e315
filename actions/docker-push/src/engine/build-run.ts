import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildRun } from "./arguments.ts";
import type { BuildSpec, Built, EnginePorts, ExportedImage } from "./engine.ts";

/** What an engine did for one platform. */
export interface PlatformBuild {
  readonly image: ExportedImage;
  readonly steps: number;
  readonly cachedSteps: number;
}

/**
 * Builds one platform after the other. Build secrets are files (0600) while a
 * build runs, and gone right after it, however it ends.
 */
export async function eachPlatform(
  spec: BuildSpec,
  ports: EnginePorts,
  build: (run: BuildRun) => Promise<PlatformBuild>,
): Promise<Built> {
  const tag = randomBytes(6).toString("hex");
  const built: PlatformBuild[] = [];
  const platforms = spec.platforms.length > 0 ? spec.platforms : [""];
  const secrets = spec.secrets.map(({ id }, index) => ({
    id,
    path: join(ports.folder, `secret-${tag}-${index}`),
  }));
  try {
    for (const [index, secret] of spec.secrets.entries())
      writeFileSync(secrets[index]?.path ?? "", secret.value, { mode: 0o600 });
    for (const [index, platform] of platforms.entries()) {
      const file = (name: string) => join(ports.folder, `${name}-${tag}-${index}`);
      const name = `goci-build:${tag}-${index}`;
      built.push(
        await build({ spec, platform, secrets, name, idFile: file("id"), output: `${file("image")}.tar` }),
      );
    }
  } finally {
    for (const { path } of secrets) rmSync(path, { force: true });
  }
  return {
    images: built.map((one) => one.image),
    steps: built.reduce((sum, one) => sum + one.steps, 0),
    cachedSteps: built.reduce((sum, one) => sum + one.cachedSteps, 0),
  };
}

/** The image id that a builder wrote, undefined when it wrote none. */
export function readId(file: string): string | undefined {
  try {
    const id = readFileSync(file, "utf8").trim();
    return /^(?:sha256:)?[0-9a-f]{64}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
