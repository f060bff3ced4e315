import { expressionProblem } from "./expressions.ts";
import { isContent, splitFields } from "./parse-rules.ts";
import type { Flavor } from "./rules.ts";

/** Reads the lines of the `flavor` input, for example `latest=auto` and `suffix=-alpine,onlatest=true`. */
export function parseFlavor(lines: readonly string[]): {
  readonly flavor: Flavor;
  readonly problems: readonly string[];
} {
  const problems: string[] = [];
  const flavor = { latest: "auto" as Flavor["latest"], prefix: "", suffix: "" };
  const onLatest = { prefix: false, suffix: false };
  for (const line of lines.filter(isContent)) {
    let last: "prefix" | "suffix" | undefined;
    for (const field of splitFields(line).filter((item) => item !== "")) {
      const split = field.indexOf("=");
      const name = field.slice(0, Math.max(split, 0));
      const value = field.slice(split + 1);
      if (name === "latest" && (value === "auto" || value === "true" || value === "false")) {
        flavor.latest = value;
      } else if (name === "prefix" || name === "suffix") {
        flavor[name] = value;
        last = name;
        const problem = expressionProblem(value, false);
        if (problem !== "") problems.push(`\`${field}\` ${problem}`);
      } else if (name === "onlatest" && last && (value === "true" || value === "false")) {
        onLatest[last] = value === "true";
      } else {
        problems.push(
          `\`${field}\` is not understood: allowed are \`latest=auto|true|false\`, \`prefix=...\`, \`suffix=...\` and behind one of those two \`onlatest=true|false\``,
        );
      }
    }
  }
  return {
    flavor: { ...flavor, prefixLatest: onLatest.prefix, suffixLatest: onLatest.suffix },
    problems,
  };
}
