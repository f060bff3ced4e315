import type { Inputs } from "./model.ts";

/**
 * Whether the inputs ask for no change at all. That is no error (a run may only look whether the service is as
 * it was), but mostly it is an `image` whose expression came out empty.
 */
export function nothingAsked({ service, source, edits, task, schedules, keepRevisions }: Inputs): boolean {
  const { forceNewDeployment, desiredCount, propagateTags, enableEcsManagedTags, volumeConfigurations } =
    service;
  const lists = [edits.environment, edits.secrets, edits.remove, schedules];
  const set = [
    ...[desiredCount, propagateTags, enableEcsManagedTags, volumeConfigurations],
    ...[edits.command, edits.patch, task],
  ];
  return (
    source.kind === "running" &&
    edits.image === "" &&
    edits.images.size === 0 &&
    edits.mode === "merge" &&
    !forceNewDeployment &&
    keepRevisions === 0 &&
    lists.every((list) => list.length === 0) &&
    set.every((value) => value === undefined)
  );
}
