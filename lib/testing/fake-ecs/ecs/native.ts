import type { Json } from "../types.ts";
import type { RolloutMoves } from "./deployments.ts";
import { addEvent, rollBack } from "./rollouts.ts";
import type { EcsState, FakeService, Rollout } from "./state.ts";

/** How service deployments go back, and how their hooks are answered. */
export function rolloutMoves(ecs: EcsState): RolloutMoves {
  return {
    rollBack: (service, rollout, reason) => goBack(ecs, service, rollout, reason),
    answerHook: (service: FakeService, rollout: Rollout, hook: Json, action) => {
      hook["status"] = action === "CONTINUE" ? "SUCCEEDED" : "FAILED";
      if (action === "ROLLBACK") goBack(ecs, service, rollout, "The lifecycle hook asked for a rollback.");
      ecs.look(service);
    },
  };
}

function goBack(ecs: EcsState, service: FakeService, rollout: Rollout, reason: string): void {
  for (const cancel of rollout.cancel.splice(0)) cancel();
  delete rollout.stage;
  if (rollBack(ecs, service, rollout, reason)) {
    addEvent(ecs, service, `rolling back to deployment ${rollout.back?.deployment.id}.`);
  }
  ecs.look(service);
}
