import type { Place } from "../ecs/state.ts";
import type { Operation } from "../types.ts";

/** STS: who is calling. */
export function identityOperations(place: Place): Readonly<Record<string, Operation>> {
  return {
    GetCallerIdentity: () => ({
      UserId: "AROAEXAMPLEEXAMPLE:ci",
      Account: place.account,
      Arn: `arn:${place.partition}:sts::${place.account}:assumed-role/goci/ci`,
    }),
  };
}
