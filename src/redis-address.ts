/** Where Redis is: one server, or what its Sentinels call the master of that name. */
export type RedisAddress = {
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** The server; or the Sentinels, of which one that answers is enough. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** The master's name at the Sentinels; undefined where `hosts` is the server itself. */
  readonly sentinelName: string | undefined;
};

export const redisForms =
  "redis[s]://[user:password@]host:port[/database] or redis[s]+sentinel://[user:password@]host:port,host:port/name[/database]";

/**
 * Reads REDIS_URL; undefined where it has none of the forms. What goes to the server goes percent-encoded, so that a
 * password may hold anything. For Sentinel the form is the one of the redis-sentinel-url package, which ioredis has none of.
 */
export function parseRedisUrl(url: string): RedisAddress | undefined {
  const parts = /^(rediss?)(\+sentinel)?:\/\/(?:([^/@]*)@)?([^/@?#]+)((?:\/[^/?#]*)*)$/.exec(url);
  if (parts === null) return undefined;
  const [, scheme, sentinel, credentials = "", authority = "", path = ""] = parts;
  const hosts = parseHosts(authority, sentinel === undefined ? 6379 : 26_379);
  const place = parsePath(path, sentinel !== undefined);
  if (hosts === undefined || place === undefined) return undefined;
  if (sentinel === undefined && hosts.length > 1) return undefined;
  const [username, password] = parseCredentials(credentials);
  return { tls: scheme === "rediss", username, password, hosts, ...place };
}

function parseHosts(authority: string, defaultPort: number): RedisAddress["hosts"] | undefined {
  const hosts = authority.split(",").flatMap((text) => parseHost(text, defaultPort) ?? []);
  return hosts.length === authority.split(",").length ? hosts : undefined;
}

/** `/database`, or `/name/database` at Sentinels; the database is 0 where it is left out. */
function parsePath(path: string, named: boolean): Pick<RedisAddress, "sentinelName" | "database"> | undefined {
  const parts = path.split("/").slice(1);
  const sentinelName = named ? parts.shift() : undefined;
  const [database = ""] = parts;
  if ((named && !sentinelName) || parts.length > 1 || !/^\d{0,3}$/.test(database)) return undefined;
  return { sentinelName, database: Number(database) };
}

function parseHost(text: string, defaultPort: number): RedisAddress["hosts"][number] | undefined {
  if (!URL.canParse(`redis://${text}`)) return undefined;
  const { hostname, port } = new URL(`redis://${text}`);
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: port === "" ? defaultPort : Number(port) };
}

function parseCredentials(text: string): readonly [string | undefined, string | undefined] {
  const [username = "", ...rest] = text.split(":");
  const decoded = (part: string): string | undefined => (part === "" ? undefined : decode(part));
  return [decoded(username), decoded(rest.join(":"))];
}

/** A stray percent sign is itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
