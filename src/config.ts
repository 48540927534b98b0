import { parseDocument } from "yaml";
import type { Settings } from "./commands/services.ts";
import { peopleProblems } from "./config-names.ts";
import { type ConfigFile, configFile } from "./config-schema.ts";
import type { Endpoint } from "./policy/endpoint.ts";
import type { Enforcement } from "./policy/plan.ts";

export type ClusterConfig = {
  readonly name: string;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly enforcement: Enforcement;
};

export type Config = {
  readonly settings: Settings;
  readonly cluster: ClusterConfig;
  readonly slack: {
    readonly botToken: string | undefined;
    readonly appToken: string | undefined;
    readonly apiUrl: string;
    readonly command: string;
    readonly teams: readonly string[] | undefined;
  };
  /** Undefined at a terminal that reaches no Redis. */
  readonly redisUrl: string | undefined;
  /** Who the terminal's user is where nothing else says so. */
  readonly terminalUser: string | undefined;
  /** Where /livez, /readyz and /metrics listen; 0 for any free port. */
  readonly port: number;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the configuration file lies: BULKHEAD_CONFIG, else where the image has it. */
export function configPath(env: Environment): string {
  return env["BULKHEAD_CONFIG"] ?? "/etc/bulkhead/config.yaml";
}

/**
 * The configuration from the environment and the text of the file (undefined where there is none, which is the
 * defaults). Every problem is reported, not only the first. `read` gives the text of a file, or undefined.
 */
export function readConfig(
  env: Environment,
  text: string | undefined,
  read: (path: string) => string | undefined,
): { readonly config: Config } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const file = parseFile(text ?? "", problems);
  if (file !== undefined) problems.push(...peopleProblems(file));
  const secret = (name: string): string | undefined => readSecret(env, name, read, problems);
  const secrets = { bot: secret("SLACK_BOT_TOKEN"), app: secret("SLACK_APP_TOKEN"), redis: secret("REDIS_URL") };
  const redis = secrets.redis === undefined ? undefined : parseRedisUrl(secrets.redis, problems);
  if (file === undefined || problems.length > 0) return { problems };
  const ownNamespace = env["POD_NAMESPACE"] ?? "bulkhead";
  const [cluster] = file.clusters;
  if (cluster === undefined) return { problems: ["clusters: names no cluster"] };
  return {
    config: {
      settings: {
        access: { rules: file.access, people: file.people },
        protectedNamespaces: file.protectedNamespaces,
        ownNamespace,
        redisService: redis === undefined ? undefined : serviceOf(redis.hostname, ownNamespace),
        endpoints: endpointsOf(file.endpoints),
        settleMs: file.settle,
      },
      cluster: {
        name: cluster.name,
        kubeconfig: cluster.kubeconfig,
        context: cluster.context,
        enforcement: cluster.enforcement,
      },
      slack: {
        botToken: secrets.bot,
        appToken: secrets.app,
        apiUrl: env["SLACK_API_URL"] ?? "https://slack.com/api/",
        command: file.slack.command,
        teams: file.slack.teams,
      },
      redisUrl: secrets.redis,
      terminalUser: file.terminal.user,
      port: portOf(env, file),
    },
  };
}

function parseFile(text: string, problems: string[]): ConfigFile | undefined {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) {
    problems.push(...document.errors.map(({ message }) => `configuration: ${message.split("\n")[0] ?? message}`));
    return undefined;
  }
  const parsed = configFile.safeParse(document.toJS({ maxAliasCount: 10 }) ?? {});
  if (parsed.success) return parsed.data;
  problems.push(...parsed.error.issues.map(({ path, message }) => `${path.join(".") || "configuration"}: ${message}`));
  return undefined;
}

/** A secret by its name, or from the file that NAME_FILE names; a file that cannot be read is a problem. */
function readSecret(
  env: Environment,
  name: string,
  read: (path: string) => string | undefined,
  problems: string[],
): string | undefined {
  const path = env[`${name}_FILE`];
  if (path === undefined || path === "") return env[name] === "" ? undefined : env[name];
  const content = read(path)?.trim();
  if (content !== undefined && content !== "") return content;
  problems.push(`${name}_FILE: ${path} cannot be read or is empty`);
  return undefined;
}

function parseRedisUrl(url: string, problems: string[]): URL | undefined {
  if (/^rediss?:\/\//.test(url) && URL.canParse(url)) return new URL(url);
  problems.push("REDIS_URL: is not of the form redis://[user:password@]host:port[/database]");
  return undefined;
}

/** `redis`, `redis.ns`, `redis.ns.svc[.cluster.local]` name a Service of this cluster; anything else does not. */
function serviceOf(host: string, ownNamespace: string): Settings["redisService"] {
  const [name = "", namespace = ownNamespace, ...rest] = host.split(".");
  const inCluster = rest.length === 0 || rest[0] === "svc";
  return inCluster && /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) && name !== "localhost"
    ? { name, namespace }
    : undefined;
}

function endpointsOf({ forensics, monitoring }: ConfigFile["endpoints"]): readonly Endpoint[] {
  return [
    ...forensics.flatMap((endpoint) => endpointOf(endpoint, "forensics")),
    ...monitoring.flatMap((endpoint) => endpointOf(endpoint, "monitoring")),
  ];
}

type EndpointFile = ConfigFile["endpoints"]["forensics"][number];

function endpointOf(given: EndpointFile, purpose: Endpoint["purpose"]): readonly Endpoint[] {
  const { name, direction, ports, ...peer } = withoutUndefined(given);
  const directions = direction === "both" ? (["ingress", "egress"] as const) : [direction];
  return directions.map((one) => ({ name, purpose, direction: one, peer, ports }) as Endpoint);
}

/** The parser may leave members that are undefined; on the wire they must not be there. */
function withoutUndefined<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function portOf(env: Environment, file: ConfigFile): number {
  const given = Number(env["PORT"]);
  return env["PORT"] !== undefined && Number.isInteger(given) && given >= 0 && given <= 65_535 ? given : file.port;
}
