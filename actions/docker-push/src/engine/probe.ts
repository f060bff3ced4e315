import type { BuildInputs } from "../inputs-model.ts";
import type { BuildSpec, Engine, EnginePorts, ExportedImage } from "./engine.ts";

/**
 * The engine that builds: the named one, or the first that is there and can do
 * all that is asked. Throws ENGINE_UNAVAILABLE when there is none, UNSUPPORTED
 * (naming inputs, and the engine that could) when it cannot do what is asked.
 */
export async function chooseEngine(
  _wanted: BuildInputs["engine"],
  _spec: BuildSpec,
  _ports: EnginePorts,
): Promise<Engine> {
  throw new Error("not built yet");
}

/** Gives an image of the local Docker engine out as a file (`source: daemon:<ref>`). */
export async function exportFromDaemon(_reference: string, _ports: EnginePorts): Promise<ExportedImage> {
  throw new Error("not built yet");
}
