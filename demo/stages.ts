import { CRASHES, FAILING_TEST, UNHEALTHY, VERSION_2 } from "./commits.ts";
import type { Edit } from "./project.ts";

/** A commit, what is promised of it, and how long load is put on the service while it is deployed. */
export interface Stage {
  readonly key: string;
  readonly title: string;
  readonly message: string;
  readonly edits: readonly Edit[];
  /** Version in the commit's package.json. */
  readonly version: string;
  readonly promised: string;
  /** 0: no load. */
  readonly loadSeconds: number;
}

/** The first commit: nothing runs on the host yet. */
export const FIRST: Stage = {
  key: "v1",
  title: "first version",
  message: "First version",
  edits: [],
  version: "1.0.0",
  promised: "succeeded",
  loadSeconds: 0,
};

/** The commits that follow, in the order in which they are approved. */
export const FOLLOWING: readonly Stage[] = [
  {
    key: "v2",
    title: "second version",
    message: "Version 2",
    edits: VERSION_2,
    version: "2.0.0",
    promised: "succeeded",
    loadSeconds: 8,
  },
  {
    key: "crash",
    title: "ends at its start",
    message: "Read the licence at start",
    edits: CRASHES,
    version: "2.1.0",
    promised: "rolled-back",
    loadSeconds: 8,
  },
  {
    key: "unhealthy",
    title: "starts, never ready",
    message: "Wait for the search index",
    edits: UNHEALTHY,
    version: "2.2.0",
    promised: "rolled-back",
    loadSeconds: 12,
  },
  {
    key: "failing-test",
    title: "a test fails",
    message: "Greet in German",
    edits: FAILING_TEST,
    version: "2.3.0",
    promised: "stopped: TESTS_FAILED",
    loadSeconds: 0,
  },
];
