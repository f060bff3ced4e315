import { containerNames, containersOf, type Definition, textOf } from "./model.ts";

/** Which containers are meant, or why nobody can know. */
export type Targets =
  | { readonly kind: "found"; readonly names: readonly string[] }
  | { readonly kind: "unknown"; readonly problem: string };

/**
 * The containers of `container-name`; without names: the only container, else
 * the only essential one, else the only one behind the load balancer
 * (`balanced`, names from the service's `loadBalancers`).
 */
export function defaultContainers(
  definition: Definition,
  given: readonly string[],
  balanced: readonly string[],
): Targets {
  const names = containerNames(definition);
  const valid = names.map((name) => `\`${name}\``).join(", ");
  const strange = given.filter((name) => !names.includes(name));
  if (strange.length > 0) {
    const shown = strange.map((name) => `\`${name}\``).join(", ");
    return {
      kind: "unknown",
      problem: `\`container-name\` is ${shown}, which is not there: valid are ${valid}`,
    };
  }
  if (given.length > 0) return { kind: "found", names: given };
  // A container that does not say so is essential.
  const essential = containersOf(definition)
    .filter((container) => container["essential"] !== false)
    .map((container) => textOf(container["name"]));
  const behind = [...new Set(balanced)].filter((name) => names.includes(name));
  for (const candidates of [names, essential, behind]) {
    if (candidates.length === 1) return { kind: "found", names: candidates };
  }
  return {
    kind: "unknown",
    problem: `\`container-name\` is required, since several containers are essential: valid are ${valid}`,
  };
}
