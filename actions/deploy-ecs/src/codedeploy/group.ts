import type { AwsCallOptions, JsonObject } from "../../../../lib/aws/call.ts";
import { AwsError } from "../../../../lib/aws/errors.ts";
import { UserError } from "../../../../lib/errors.ts";
import type { CodeDeployApi, CodeDeployDeployment, DeploymentGroup } from "../api/codedeploy.ts";
import type { Inputs } from "../inputs/model.ts";
import { ACTIVE_STATES, isOver, isWayBack } from "./judge.ts";
import { waitsOf } from "./waits.ts";

/** Deployments looked at when one of ours is searched for: its answer was lost a moment ago, so it is a new one. */
const MOST_LOOKED_AT = 10;
const LONGEST_DESCRIPTION = 512;
const ALL_STATES = [...ACTIVE_STATES, "Succeeded", "Failed", "Stopped"];

/** By what this run's own deployments are found again: the way there and the way back. */
export function markOf(token: string, way: "new" | "old"): string {
  return way === "new" ? `goci ${token}` : `goci back ${token}`;
}

/** The deployment group of one service, and its deployments. */
export class Group {
  readonly application: string;
  readonly name: string;
  private readonly api: CodeDeployApi;
  private readonly inputs: Inputs;
  private known: DeploymentGroup | undefined;

  constructor(api: CodeDeployApi, inputs: Inputs) {
    const { cluster, name } = inputs.service;
    const both = `${short(cluster)}-${short(name)}`;
    this.application = inputs.codeDeploy.application || `AppECS-${both}`;
    this.name = inputs.codeDeploy.deploymentGroup || `DgpECS-${both}`;
    this.api = api;
    this.inputs = inputs;
  }

  /** The group itself, read once. A group that does not exist is an error of the inputs. */
  async read(options: AwsCallOptions): Promise<DeploymentGroup> {
    if (this.known === undefined) {
      try {
        this.known = await this.api.getDeploymentGroup(this.application, this.name, options);
      } catch (error) {
        if (!(error instanceof AwsError) || error.fault !== "not-found") throw error;
        throw new UserError([
          `\`codedeploy-application\` and \`codedeploy-deployment-group\`: there is no group \`${this.name}\` in the application \`${this.application}\``,
        ]);
      }
    }
    return this.known;
  }

  /** Waits that the group and its traffic plan add, milliseconds; what may not be read adds none. */
  async waits(options: AwsCallOptions): Promise<number> {
    const group = await this.read(options);
    const name = this.inputs.codeDeploy.config || (group.deploymentConfigName ?? "");
    if (name === "") return waitsOf(group, undefined);
    try {
      return waitsOf(group, await this.api.getDeploymentConfig(name, options));
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof AwsError) || error.fault === "transient") throw error;
      return waitsOf(group, undefined);
    }
  }

  /** Ids of the deployments under way. */
  active(options: AwsCallOptions): Promise<readonly string[]> {
    return this.api.listDeployments(this.application, this.name, ACTIVE_STATES, options);
  }

  /** The newest deployment whose description holds `mark`, undefined when there is none. */
  async find(mark: string, options: AwsCallOptions): Promise<CodeDeployDeployment | undefined> {
    const ids = await this.api.listDeployments(this.application, this.name, ALL_STATES, options);
    for (const id of ids.slice(0, MOST_LOOKED_AT)) {
      const deployment = await this.api.getDeployment(id, options);
      if (deployment.description?.includes(mark)) return deployment;
    }
    return undefined;
  }

  /** Another deployment under way than `ours`; "" when there is none. */
  async other(ours: readonly string[], options: AwsCallOptions): Promise<string> {
    const id = (await this.active(options)).find((one) => !ours.includes(one));
    return id === undefined ? "" : `CodeDeploy deployment ${id}`;
  }

  /** Starts a deployment; `mark` goes into its description, by which a lost answer is found again. */
  create(revision: JsonObject, mark: string, options: AwsCallOptions): Promise<string> {
    const { config, description } = this.inputs.codeDeploy;
    const room = LONGEST_DESCRIPTION - mark.length - "[] ".length;
    const said = description === "" ? "" : `${description.slice(0, room)} `;
    return this.api.createDeployment(
      {
        applicationName: this.application,
        deploymentGroupName: this.name,
        ...(config === "" ? {} : { deploymentConfigName: config }),
        description: `${said}[${mark}]`,
        revision,
      },
      options,
    );
  }

  /** Asks for the way back; false when the deployment was over already, or is a way back itself. */
  async stop(id: string, options: AwsCallOptions): Promise<boolean> {
    const deployment = await this.api.getDeployment(id, options);
    if (isOver(deployment) || isWayBack(deployment)) return false;
    try {
      await this.api.stopDeployment(id, true, options);
      return true;
    } catch (error) {
      if (error instanceof AwsError && /AlreadyCompleted/.test(error.name)) return false;
      throw error;
    }
  }
}

function short(name: string): string {
  return name.split("/").at(-1) ?? name;
}
