import type { ContainerImage, Difference } from "../definition/model.ts";

/** What a run learned on the way, for its outputs, whoever deploys. */
export interface Tally {
  /** Full ARN of the revision that was deployed, or is to be; "" while unknown. */
  revision: string;
  /** `sha256:...` of its canonical form. */
  digest: string;
  /** The images that it names. */
  images: readonly ContainerImage[];
  /** In what it differs from what ran before. */
  differences: readonly Difference[];
  /** What ran before. */
  previous: string;
  /** Revision that is to serve again, and since when that is under way (milliseconds since the epoch); "" and 0: none. */
  backTo: string;
  backSince: number;
  deployment: string;
  serviceDeployment: string;
  codeDeployDeployment: string;
  /** Last status of the HTTP check; 0: none. */
  healthStatus: number;
  tasks: readonly string[];
  /** undefined: no one-off task has ended. */
  taskExitCode: number | undefined;
  /** Digest of each container's image, by container. */
  digests: Readonly<Record<string, string>>;
}

/** Nothing is known yet. */
export function newTally(): Tally {
  return {
    revision: "",
    digest: "",
    images: [],
    differences: [],
    previous: "",
    backTo: "",
    backSince: 0,
    deployment: "",
    serviceDeployment: "",
    codeDeployDeployment: "",
    healthStatus: 0,
    tasks: [],
    taskExitCode: undefined,
    digests: {},
  };
}

/** The way back to a revision begins, or goes on to another: `now`, milliseconds since the epoch, counts only at first. */
export function beginBack(tally: Tally, revision: string, now: number): void {
  if (tally.backSince === 0) tally.backSince = now;
  tally.backTo = revision;
}
