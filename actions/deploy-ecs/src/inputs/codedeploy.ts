import type { GitHubContext } from "../../../../lib/github-context.ts";
import type { InputReader } from "../../../../lib/inputs.ts";
import { isList, type JsonObject } from "../definition/model.ts";
import { readObjectFile, workingDirectory } from "./json.ts";
import type { CodeDeployInputs } from "./model.ts";

const NAMES = [
  "codedeploy-application",
  "codedeploy-deployment-group",
  "codedeploy-appspec",
  "codedeploy-deployment-description",
  "codedeploy-deployment-config",
];

/** CodeDeploy's limit for the names of applications, groups and configurations. */
const NAME = { pattern: /^\S.{0,99}$/, allowed: "a name of at most 100 characters" };

/** Reads what is said about CodeDeploy, the appspec file included. */
export function readCodeDeploy(read: InputReader, github: GitHubContext): CodeDeployInputs {
  const path = read.text("codedeploy-appspec");
  const folder = workingDirectory(read, github);
  const appspec = path === "" ? undefined : readObjectFile(read, "codedeploy-appspec", folder, path);
  if (appspec !== undefined && !hasResources(appspec)) {
    read.problem(`\`codedeploy-appspec\` is \`${path}\`: the file has no list \`Resources\``);
  }
  return {
    application: read.text("codedeploy-application", "", NAME),
    deploymentGroup: read.text("codedeploy-deployment-group", "", NAME),
    // As in the peer a longer one is cut: CodeDeploy takes 512 characters.
    description: read.text("codedeploy-deployment-description").slice(0, 512),
    config: read.text("codedeploy-deployment-config", "", NAME),
    appspec,
    given: NAMES.filter((name) => read.given(name)),
  };
}

/** Names of an appspec are read in any case, as CodeDeploy does. */
function hasResources(appspec: JsonObject): boolean {
  const entry = Object.entries(appspec).find(([name]) => name.toLowerCase() === "resources");
  const resources: unknown = entry?.[1];
  return isList(resources) && resources.length > 0;
}
