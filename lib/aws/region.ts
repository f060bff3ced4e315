import { UserError } from "../errors.ts";

/** A region and who said so. */
export interface Region {
  readonly name: string;
  /** As the log names it: `aws-region`, `AWS_REGION`, `the profile`. */
  readonly source: string;
}

/**
 * The region of this run: the input, then the environment, then the shared
 * configuration's profile. AWS_DEFAULT_REGION counts too: the CLI and every other
 * SDK know it, the JavaScript SDK does not. Throws when nobody names one.
 */
export async function resolveRegion(
  input: string,
  env: Readonly<Record<string, string | undefined>>,
  fromProfile: () => Promise<string | undefined>,
): Promise<Region> {
  const named = [
    { name: input, source: "aws-region" },
    { name: env["AWS_REGION"] ?? "", source: "AWS_REGION" },
    { name: env["AWS_DEFAULT_REGION"] ?? "", source: "AWS_DEFAULT_REGION" },
  ].find(({ name }) => name.trim() !== "");
  const name = named?.name.trim() ?? ((await fromProfile()) ?? "").trim();
  const source = named?.source ?? "the profile";
  if (name === "") {
    throw new UserError(
      ["no AWS region: `aws-region`, AWS_REGION, AWS_DEFAULT_REGION and the profile are all empty"],
      "set `aws-region`, or run aws-actions/configure-aws-credentials before this step",
    );
  }
  // It becomes part of a host name.
  if (!/^[a-z]{2,}(-[a-z0-9]+)+$/.test(name)) {
    throw new UserError(
      [`the region ${JSON.stringify(name)} from ${source} is no region`],
      "use one like eu-west-1",
    );
  }
  return { name, source };
}
