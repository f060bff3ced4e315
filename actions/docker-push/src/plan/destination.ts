import type { GitHubContext } from "../../../../lib/github-context.ts";
import type { Inputs } from "../inputs/model.ts";
import { isPullRequest } from "../inputs/registry.ts";
import type { Event } from "./event.ts";

/** Whether the image leaves this machine, and if not, why. */
export type Destination = { readonly kind: "push" } | { readonly kind: "gate-only"; readonly why: string };

/**
 * Decides about the push before anything is asked of a registry. A pull
 * request from a fork never pushes, whatever it can reach: its author decides
 * what is in the image. One without credentials cannot.
 */
export function destinationOf(
  inputs: Pick<Inputs, "push">,
  github: Pick<GitHubContext, "eventName" | "repository">,
  event: Pick<Event, "headRepository">,
  hasCredentials: boolean,
): Destination {
  if (!inputs.push) return { kind: "gate-only", why: "`push` is `false`" };
  if (!isPullRequest(github) && event.headRepository === "") return { kind: "push" };
  const from = event.headRepository;
  if (from !== "" && from.toLowerCase() !== github.repository.toLowerCase()) {
    return { kind: "gate-only", why: `the pull request comes from a fork (${from})` };
  }
  if (hasCredentials) return { kind: "push" };
  return { kind: "gate-only", why: "a pull request has no credentials here" };
}
