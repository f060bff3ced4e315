import { Failure, messageOf, RemoteError } from "../../../../lib/errors.ts";
import type { Log } from "../../../../lib/log.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { Repository } from "../registry/names.ts";

/** What a preflight works with. */
export interface PreflightPorts {
  client(repository: Repository): RegistryClient;
  readonly log: Log;
  /** Makes a missing repository (ECR); absent where that is not wanted. False when this is none of its registries. */
  readonly createRepository?: (repository: Repository) => Promise<boolean>;
}

/**
 * Proves, before anything is built, that every repository may be pushed to: a
 * token with the right to push, and one empty upload that is cancelled again.
 * Throws the first failure; the others stand in its evidence.
 */
export async function preflight(repositories: readonly Repository[], ports: PreflightPorts): Promise<void> {
  const failures: Failure[] = [];
  const checks = repositories.map(async (repository) => {
    try {
      await prove(repository, ports);
      ports.log.info(`${repository.name}: may be pushed to`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  });
  for (const end of await Promise.allSettled(checks)) if (end.status === "rejected") throw end.reason;
  const [first] = failures;
  if (!first || failures.length === 1) {
    if (first) throw first;
    return;
  }
  const messages = [...new Set(failures.map(messageOf))];
  throw new RemoteError(messages.join("; "), {
    code: first.code,
    fix: [...new Set(failures.map((failure) => failure.fix))].join("; "),
    evidence: messages,
    cause: first,
  });
}

async function prove(repository: Repository, ports: PreflightPorts): Promise<void> {
  const client = ports.client(repository);
  try {
    await client.proveUpload(repository.path);
  } catch (error) {
    const missing = error instanceof Failure && error.code === "NAME_UNKNOWN";
    if (!missing || !(await ports.createRepository?.(repository))) throw error;
    ports.log.info(`${repository.name}: did not exist and was created`);
    await client.proveUpload(repository.path);
  }
}
