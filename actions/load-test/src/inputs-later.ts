import type { InputReader } from "../../../lib/inputs.ts";

/**
 * Inputs of the contract that this version does not carry out: each is read, so
 * that a bad value is still an error, and refused when it asks for something.
 */
export function readLater(read: InputReader): void {
  readLocust(read);
  readTerraform(read);
  const mode = read.enumeration("mode", ["run", "teardown", "sweep"], "run");
  if (mode !== "run")
    read.refuse("mode", mode, "remove the environment by `terraform destroy` in a step of its own");
  if (read.bool("sweep-apply", false)) read.refuse("sweep-apply", "true", "leave it out");
  if (read.bool("pr-comment", false)) {
    read.refuse("pr-comment", "true", "the job summary holds the same text");
  }
  const baseline = read.text("baseline");
  if (baseline.startsWith("artifact:")) {
    read.refuse("baseline", baseline, "download the earlier result.json in a step before and give its path");
  }
}

function readLocust(read: InputReader): void {
  const engine = read.enumeration("engine", ["builtin", "locust"], "builtin");
  if (engine === "locust") read.refuse("engine", engine, "use `builtin`");
  const given: [name: string, value: string, idle: string][] = [
    ["locustfile", read.text("locustfile"), ""],
    ["locust-version", read.text("locust-version"), ""],
    ["locust-processes", read.text("locust-processes", "auto"), "auto"],
    ["locust-workers", String(read.integer("locust-workers", 0, { min: 0 })), "0"],
    ["locust-master-host", read.text("locust-master-host"), ""],
  ];
  for (const [name, value, idle] of given) {
    if (value !== idle) read.refuse(name, value, "it belongs to `engine: locust`; leave it out");
  }
}

function readTerraform(read: InputReader): void {
  const directory = read.text("terraform-directory");
  if (directory !== "") {
    read.refuse(
      "terraform-directory",
      directory,
      "create the environment in a job before and give its `url`",
    );
  }
  const output = read.text("terraform-output", "url");
  if (output !== "url") read.refuse("terraform-output", output, "give `url`");
  // Their values may be secrets: only their presence is told.
  for (const name of ["terraform-variables", "terraform-backend-config"]) {
    if (read.map(name, { secret: true }).size > 0)
      read.refuse(name, "...", "it belongs to `terraform-directory`");
  }
  read.duration("terraform-ttl", "2h", "h", { min: 60_000 });
}
