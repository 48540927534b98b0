import { parseDocument } from "yaml";
import type { HealthLimits } from "./audit/health.ts";
import type { Settings } from "./commands/services.ts";
import { clusterProblems, clusterSettings } from "./config-clusters.ts";
import { endpointsOf } from "./config-endpoints.ts";
import {
  environmentProblems,
  readSecret,
  secretProblems,
  tokenProblems,
  withoutSecrets,
} from "./config-environment.ts";
import { type FlowsConfig, flowFileProblems, flowsOf } from "./config-flows.ts";
import { kubeconfigProblems } from "./config-kubeconfig.ts";
import { peopleProblems } from "./config-names.ts";
import { duplicateNames, schemaProblems } from "./config-problems.ts";
import { type ConfigFile, configFile } from "./config-schema.ts";
import { type TracesConfig, tracesOf, tracesProblems } from "./config-traces.ts";
import { type WatchConfig, watchFileProblems, watchOf } from "./config-watch.ts";
import type { Enforcement } from "./policy/plan.ts";
import type { RedisAccess } from "./redis.ts";
import { parseRedisUrl, redisForms } from "./redis-address.ts";
import { neededForSlack } from "./slack-settings.ts";
import { shippedTemplates } from "./templates.ts";

export type ClusterConfig = {
  readonly name: string;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly enforcement: Enforcement;
};

export type Config = {
  readonly settings: Settings;
  /** At least one; names are unique. */
  readonly clusters: readonly ClusterConfig[];
  readonly slack: {
    readonly mode: "socket" | "http";
    /** Where calls come in over HTTP; 0 for any free port. */
    readonly port: number;
    readonly botToken: string | undefined;
    /** For `socket`. */
    readonly appToken: string | undefined;
    /** For `http`. */
    readonly signingSecret: string | undefined;
    readonly apiUrl: string;
    readonly command: string;
    readonly teams: readonly string[] | undefined;
  };
  /** Undefined at a terminal that reaches no Redis. */
  readonly redisUrl: string | undefined;
  readonly redisAccess: RedisAccess;
  /** Where the bot keeps audit entries while Redis is away, and how much of them. */
  readonly spool: { readonly folder: string; readonly maxBytes: number };
  /** How long exported entries stay in Redis, and what is too much of its memory. */
  readonly audit: { readonly keepMs: number; readonly limits: HealthLimits };
  /** How long revisions of policies are kept, and how many of one policy. */
  readonly history: { readonly keepMs: number; readonly perPolicy: number };
  /** The bearer token with which API servers post audit events; undefined where they do not. */
  readonly kubernetesAuditToken: string | undefined;
  /** Where denied flows come from; undefined: from nowhere. */
  readonly flows: FlowsConfig | undefined;
  /** Where spikes of denied flows are told. */
  readonly watch: WatchConfig;
  /** How operations are traced; undefined: not at all. */
  readonly traces: TracesConfig | undefined;
  /** The folder of the emergency allowlists' templates. */
  readonly templates: string;
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
 * Who asks: the bot cannot start without its secrets and its clusters' kubeconfigs; a terminal does without some, and
 * may read a configuration whose paths are those of the bot's pod.
 */
type Use = "bot" | "terminal";

/**
 * The configuration from the environment and the text of the file (undefined where there is none, which is the
 * defaults; null where there is one that cannot be read). Every problem is reported, not only the first, and none shows a secret. `read` gives the text of a file, or
 * undefined.
 */
export function readConfig(
  env: Environment,
  text: string | undefined | null,
  read: (path: string) => string | undefined,
  use: Use = "terminal",
): { readonly config: Config } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const document = typeof text === "string" ? parseYaml(text, problems) : withoutFile(env, text, problems);
  const file = document === undefined ? undefined : parseFile(document.value, problems);
  const secrets = readSecrets(env, read, problems);
  if (use === "bot") problems.push(...botProblems(env, read, secrets, document?.value));
  if (file !== undefined && problems.length === 0) {
    const flows = flowsOf(file.flows, clusterSettings(file).home, { token: secrets.flows, read });
    return { config: { ...configOf(file, secrets, env), flows } };
  }
  return { problems: problems.map((line) => withoutSecrets(line, Object.values(secrets))) };
}

type RedisSecret = "redis" | "redisCa" | "redisCert" | "redisKey" | "sentinelUsername" | "sentinelPassword";
type Secrets = Readonly<
  Record<"bot" | "app" | "signing" | "kubernetesAudit" | "flows" | RedisSecret, string | undefined>
>;

function readSecrets(env: Environment, read: (path: string) => string | undefined, problems: string[]): Secrets {
  const secret = (name: string): string | undefined => readSecret(env, name, read, problems);
  const secrets = {
    bot: secret("SLACK_BOT_TOKEN"),
    app: secret("SLACK_APP_TOKEN"),
    signing: secret("SLACK_SIGNING_SECRET"),
    kubernetesAudit: secret("KUBERNETES_AUDIT_TOKEN"),
    flows: secret("FLOWS_TOKEN"),
    redis: secret("REDIS_URL"),
    redisCa: secret("REDIS_CA"),
    redisCert: secret("REDIS_CERT"),
    redisKey: secret("REDIS_KEY"),
    sentinelUsername: secret("REDIS_SENTINEL_USERNAME"),
    sentinelPassword: secret("REDIS_SENTINEL_PASSWORD"),
  };
  const { redis } = secrets;
  if (redis !== undefined && parseRedisUrl(redis) === undefined)
    problems.push(`REDIS_URL: is not of the form ${redisForms}`);
  problems.push(...redisAccessProblems(secrets));
  problems.push(...tokenProblems({ KUBERNETES_AUDIT_TOKEN: secrets.kubernetesAudit, FLOWS_TOKEN: secrets.flows }));
  return secrets;
}

/** What is set for Redis and would not be used, or only half. */
function redisAccessProblems({ redis, redisCa, redisCert, redisKey }: Secrets): readonly string[] {
  const given = [redisCa, redisCert, redisKey].some((pem) => pem !== undefined);
  return [
    ...((redisCert === undefined) === (redisKey === undefined) ? [] : ["REDIS_CERT and REDIS_KEY: need each other"]),
    ...(given && redis !== undefined && !redis.startsWith("rediss")
      ? ["REDIS_CA, REDIS_CERT, REDIS_KEY: are for TLS, and REDIS_URL is no rediss:// address"]
      : []),
  ];
}

function redisAccessOf(secrets: Secrets): RedisAccess {
  return {
    ca: secrets.redisCa,
    cert: secrets.redisCert,
    key: secrets.redisKey,
    sentinelUsername: secrets.sentinelUsername,
    sentinelPassword: secrets.sentinelPassword,
  };
}

/** The Service that REDIS_URL names, of the first Sentinel where it names several. */
function redisServiceOf(url: string, ownNamespace: string): Settings["redisService"] {
  const [first] = parseRedisUrl(url)?.hosts ?? [];
  return first === undefined ? undefined : serviceOf(first.host, ownNamespace);
}

function configOf(file: ConfigFile, secrets: Secrets, env: Environment): Omit<Config, "flows"> {
  const ownNamespace = env["POD_NAMESPACE"] ?? "bulkhead";
  return {
    settings: {
      access: { rules: file.access, people: file.people },
      ...railsOf(file),
      ownNamespace,
      redisService: secrets.redis === undefined ? undefined : redisServiceOf(secrets.redis, ownNamespace),
      ...endpointsOf(file),
      settleMs: file.settle,
      realiseMs: file.realise,
      writesCalicoStorage: file.calico.writeStorage,
      detach: file.quarantine.detach,
      clusters: clusterSettings(file),
      canary: canaryOf(file),
      requiresReaper: file.allow.requireReaper,
      rollbackApprovals: file.rollback.approvals,
      suspendFlux: file.rollback.suspendFlux,
    },
    clusters: file.clusters.map(clusterOf),
    slack: {
      botToken: secrets.bot,
      appToken: secrets.app,
      signingSecret: secrets.signing,
      apiUrl: env["SLACK_API_URL"] ?? "https://slack.com/api/",
      ...file.slack,
      teams: file.slack.teams,
    },
    redisUrl: secrets.redis,
    redisAccess: redisAccessOf(secrets),
    spool: { folder: env["BULKHEAD_SPOOL"] ?? file.spool.folder, maxBytes: file.spool.maxMiB * 1_048_576 },
    audit: { keepMs: file.audit.keep, limits: auditLimits(file.audit) },
    history: { keepMs: file.history.keepFor, perPolicy: file.history.perPolicy },
    kubernetesAuditToken: secrets.kubernetesAudit,
    watch: watchOf(file.watch),
    traces: tracesOf(env),
    templates: env["BULKHEAD_TEMPLATES"] || file.templates || shippedTemplates,
    terminalUser: file.terminal.user,
    port: portOf(env, file),
  };
}

function clusterOf({ name, kubeconfig, context, enforcement }: ConfigFile["clusters"][number]): ClusterConfig {
  return { name, kubeconfig, context, enforcement };
}

/** What only the bot needs. Decided from the document as written, so that a mistake elsewhere in it hides nothing. */
function botProblems(
  env: Environment,
  read: (path: string) => string | undefined,
  secrets: Secrets,
  document: unknown,
): readonly string[] {
  const needed = [
    ...neededForSlack(secrets, document),
    // Its form is judged for everybody.
    { name: "REDIS_URL", value: secrets.redis, what: "an address such as redis://host:6379", form: /^/ },
  ];
  return [
    ...secretProblems(needed, env),
    ...environmentProblems(env, read),
    ...tracesProblems(env, read),
    ...kubeconfigProblems(document, env, read),
    ...flowFileProblems(document, { token: secrets.flows, read }),
    ...watchFileProblems(document, read),
  ];
}

/** A file that somebody named must be there; where none was named, one that is there must be readable. */
function withoutFile(env: Environment, text: undefined | null, problems: string[]): { readonly value: unknown } {
  const place = env["BULKHEAD_CONFIG"] ? "BULKHEAD_CONFIG" : "configuration";
  if (text === null || place === "BULKHEAD_CONFIG") problems.push(`${place}: ${configPath(env)} cannot be read`);
  return { value: {} };
}

/** An error of the parser may go on for lines that quote the document: only its first is passed on. */
function parseYaml(text: string, problems: string[]): { readonly value: unknown } | undefined {
  try {
    const document = parseDocument(text, { uniqueKeys: true });
    const errors = document.errors.map(({ message }) => (message.split("\n")[0] ?? "").replace(/:$/, ""));
    problems.push(...new Set(errors.map((message) => `configuration: ${message}`)));
    return errors.length > 0 ? undefined : { value: document.toJS({ maxAliasCount: 10 }) ?? {} };
  } catch (error) {
    problems.push(`configuration: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function parseFile(document: unknown, problems: string[]): ConfigFile | undefined {
  const parsed = configFile.safeParse(document);
  if (!parsed.success) problems.push(...schemaProblems(configFile, parsed.error, document));
  problems.push(...duplicateNames(document));
  if (parsed.success) problems.push(...peopleProblems(parsed.data), ...clusterProblems(parsed.data));
  return parsed.data;
}

/** `redis`, `redis.ns`, `redis.ns.svc[.cluster.local]` name a Service of this cluster; anything else does not. */
function serviceOf(host: string, ownNamespace: string): Settings["redisService"] {
  const [name = "", namespace = ownNamespace, ...rest] = host.split(".");
  const inCluster = rest.length === 0 || rest[0] === "svc";
  return inCluster && /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) && name !== "localhost"
    ? { name, namespace }
    : undefined;
}

function canaryOf({ canary }: ConfigFile): Settings["canary"] {
  const { namespace, image, nodePoolLabel, tolerateTaints, start, timeout, keep } = canary;
  return { namespace, image, nodePoolLabel, tolerateTaints, startMs: start, effectMs: timeout, keepMs: keep };
}

/** What holds people back. */
function railsOf({ protectedNamespaces, limits, approvals, breakGlass, drift }: ConfigFile) {
  return {
    driftRestores: drift.restore,
    protectedNamespaces,
    limits,
    approvalMs: approvals.expireAfter,
    breakGlassMs: breakGlass.maxTtl,
  };
}

function auditLimits({ warnAtShare, budgetMiB }: ConfigFile["audit"]): HealthLimits {
  return { warnAtShare, ...(budgetMiB === undefined ? {} : { budgetBytes: budgetMiB * 1_048_576 }) };
}

function portOf(env: Environment, file: ConfigFile): number {
  const given = Number(env["PORT"]);
  return env["PORT"] !== undefined && Number.isInteger(given) && given >= 0 && given <= 65_535 ? given : file.port;
}
