/** Every output of action.yml beside those that all actions have. */
export const OUTPUTS = [
  "image",
  "digest",
  "tags",
  "labels",
  "version",
  "imageid",
  "config-digest",
  "metadata",
  "size-compressed",
  "size-uncompressed",
  "layers",
  "cache-hit-ratio",
  "pushed",
  "registry",
  "repository",
] as const;
