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
 * Throws the first failure; the others stand in its message and evidence.
 */
export async function preflight(repositories: readonly Repository[], ports: PreflightPorts): Promise<void> {
  const origins = [...new Set(repositories.map(({ origin }) => origin))];
  const groups = origins.map((origin) =>
    proveAll(
      repositories.filter((repository) => repository.origin === origin),
      ports,
    ),
  );
  const failures: Failure[] = [];
  for (const end of await Promise.allSettled(groups)) {
    if (end.status === "rejected") throw end.reason;
    failures.push(...end.value);
  }
  const [first] = failures;
  if (first) throw failures.length === 1 ? first : joined(first, failures);
}

/** One registry's repositories, one after the other: a wrong password is tried once, not once for each. */
async function proveAll(repositories: readonly Repository[], ports: PreflightPorts): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const repository of repositories) {
    try {
      await prove(repository, ports);
      ports.log.info(`${repository.name}: may be pushed to`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
      if (error.code === "LOGIN_FAILED") break;
    }
  }
  return failures;
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

function joined(first: Failure, failures: readonly Failure[]): RemoteError {
  const messages = [...new Set(failures.map(messageOf))];
  return new RemoteError(messages.join("; "), {
    code: first.code,
    fix: [...new Set(failures.map((failure) => failure.fix))].join("; "),
    evidence: messages,
    cause: first,
  });
}
