import { type Definition, isList, isObject } from "./model.ts";

/*
 * What ECS makes of a task definition, by path: members joined by dots, without
 * the places in lists. Facts are from the ECS API reference (RegisterTaskDefinition,
 * ContainerDefinition) and from what DescribeTaskDefinition answers.
 */

/** Lists whose items have names of their own: their order says nothing. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  containerDefinitions: ["name"],
  "containerDefinitions.dependsOn": ["containerName"],
  "containerDefinitions.environment": ["name"],
  "containerDefinitions.extraHosts": ["hostname"],
  "containerDefinitions.linuxParameters.devices": ["hostPath"],
  "containerDefinitions.linuxParameters.tmpfs": ["containerPath"],
  "containerDefinitions.logConfiguration.secretOptions": ["name"],
  "containerDefinitions.mountPoints": ["containerPath"],
  "containerDefinitions.portMappings": ["containerPort", "containerPortRange", "protocol"],
  "containerDefinitions.resourceRequirements": ["type"],
  "containerDefinitions.secrets": ["name"],
  "containerDefinitions.systemControls": ["namespace"],
  "containerDefinitions.ulimits": ["name"],
  "containerDefinitions.volumesFrom": ["sourceContainer"],
  inferenceAccelerators: ["deviceName"],
  placementConstraints: ["type", "expression"],
  "proxyConfiguration.properties": ["name"],
  tags: ["key"],
  volumes: ["name"],
};

/** Lists of texts whose order says nothing. */
const SETS: ReadonlySet<string> = new Set([
  "containerDefinitions.credentialSpecs",
  "containerDefinitions.dockerSecurityOptions",
  "containerDefinitions.linuxParameters.capabilities.add",
  "containerDefinitions.linuxParameters.capabilities.drop",
  "containerDefinitions.linuxParameters.tmpfs.mountOptions",
  "containerDefinitions.links",
  "containerDefinitions.restartPolicy.ignoredExitCodes",
  "requiresCompatibilities",
]);

/** Values that mean the same as the absence of the member. */
const DEFAULTS: Readonly<Record<string, string | number | boolean>> = {
  "containerDefinitions.cpu": 0,
  "containerDefinitions.disableNetworking": false,
  "containerDefinitions.environment.value": "",
  "containerDefinitions.essential": true,
  "containerDefinitions.healthCheck.interval": 30,
  "containerDefinitions.healthCheck.retries": 3,
  "containerDefinitions.healthCheck.startPeriod": 0,
  "containerDefinitions.healthCheck.timeout": 5,
  "containerDefinitions.hostname": "",
  "containerDefinitions.interactive": false,
  "containerDefinitions.linuxParameters.initProcessEnabled": false,
  "containerDefinitions.mountPoints.readOnly": false,
  "containerDefinitions.portMappings.hostPort": 0,
  "containerDefinitions.portMappings.protocol": "tcp",
  "containerDefinitions.privileged": false,
  "containerDefinitions.pseudoTerminal": false,
  "containerDefinitions.readonlyRootFilesystem": false,
  "containerDefinitions.user": "",
  "containerDefinitions.versionConsistency": "enabled",
  "containerDefinitions.volumesFrom.readOnly": false,
  "containerDefinitions.workingDirectory": "",
  enableFaultInjection: false,
  executionRoleArn: "",
  ipcMode: "",
  networkMode: "bridge",
  pidMode: "",
  "proxyConfiguration.type": "APPMESH",
  "tags.value": "",
  taskRoleArn: "",
  "volumes.configuredAtLaunch": false,
  "volumes.dockerVolumeConfiguration.autoprovision": false,
  "volumes.dockerVolumeConfiguration.scope": "task",
  "volumes.efsVolumeConfiguration.authorizationConfig.iam": "DISABLED",
  "volumes.efsVolumeConfiguration.rootDirectory": "/",
  "volumes.efsVolumeConfiguration.transitEncryption": "DISABLED",
};

/** The name of an item within its list; undefined where the list's order counts. Defaults and their absence are the same. */
export function keyOf(path: string, item: unknown): string | undefined {
  const members = KEYS[path];
  if (members === undefined || !isObject(item)) return undefined;
  const parts = members.map((member) => {
    const part = String(item[member] ?? DEFAULTS[`${path}.${member}`] ?? "");
    return member === "protocol" ? part.toLowerCase() : part;
  });
  return parts.length === 1 ? parts[0] : parts.filter((part) => part !== "").join("/");
}

/** Whether the order of a list of texts says nothing. */
export function isSet(path: string): boolean {
  return SETS.has(path);
}

/** Whether a value says no more than its absence. */
export function isDefault(path: string, value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (isList(value)) return value.length === 0;
  if (isObject(value))
    return Object.entries(value).every(([name, item]) => isDefault(`${path}.${name}`, item));
  return Object.hasOwn(DEFAULTS, path) && DEFAULTS[path] === plainValue(path, value);
}

/** In these modes a container's port is the host's port, whether or not it is said twice. */
const SHARED_PORTS = new Set(["awsvpc", "host"]);

/** The definition without host ports that say nothing in its network mode. */
export function plainPorts(definition: Definition): Definition {
  const containers = definition["containerDefinitions"];
  if (!SHARED_PORTS.has(String(definition["networkMode"])) || !isList(containers)) return definition;
  return { ...definition, containerDefinitions: containers.map((container) => plainPortsOf(container)) };
}

function plainPortsOf(container: unknown): unknown {
  if (!isObject(container) || !isList(container["portMappings"])) return container;
  const portMappings = container["portMappings"].map((mapping) => {
    if (!isObject(mapping) || mapping["hostPort"] !== mapping["containerPort"]) return mapping;
    const { hostPort: _said, ...rest } = mapping;
    return rest;
  });
  return { ...container, portMappings };
}

/** ECS turns `1 vCPU` into `1024`, `2 GB` into `2048` and `TCP` into `tcp`. */
export function plainValue(path: string, value: unknown): unknown {
  if (path === "containerDefinitions.portMappings.protocol") return String(value).toLowerCase();
  const [, amount, unit] = /^([\d.]+)\s*(vcpu|gb)?$/i.exec(String(value)) ?? [];
  if (amount === undefined || (path !== "cpu" && path !== "memory")) return value;
  return String(unit === undefined ? Number(amount) : Math.round(Number(amount) * 1024));
}
