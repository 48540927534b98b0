import type { Redis } from "ioredis";

export type RedisCheck = {
  /** What is set so that something may be lost or refused, as sentences that say what to set instead. */
  readonly problems: readonly string[];
  /** What the server does not tell this user. */
  readonly unknown: readonly string[];
};

/**
 * How the server is set up, by INFO, which every user of ours may read, and by CONFIG GET for what only that tells. Throws
 * where the server cannot be asked.
 */
async function checkRedis(redis: Redis): Promise<RedisCheck> {
  const [info, appendfsync] = await Promise.all([redis.info(), setting(redis, "appendfsync")]);
  return judgeRedis(fieldsOf(info), appendfsync);
}

/** The rules, by fields of INFO (https://redis.io/docs/latest/commands/info/); a field that is missing says nothing. */
export function judgeRedis(info: Info, appendfsync: string | undefined): RedisCheck {
  return {
    problems: [...kindProblems(info), ...memoryProblems(info), ...diskProblems(info, appendfsync)],
    unknown:
      info.get("aof_enabled") === "1" && appendfsync === undefined
        ? ["appendfsync: this Redis user may not read it"]
        : [],
  };
}

type Info = ReadonlyMap<string, string>;

function kindProblems(info: Info): readonly string[] {
  const version = info.get("redis_version") ?? "";
  return [
    ...(Number.parseInt(version, 10) < 7 ? [`Redis ${version} is too old: Bulkhead needs 7.0 or later`] : []),
    ...(info.get("cluster_enabled") === "1"
      ? ["Redis runs in cluster mode, which Bulkhead does not speak: use one server, or Sentinel"]
      : []),
    ...(info.get("role") === "slave"
      ? ["this Redis is a replica and refuses writes: REDIS_URL has to name the master, or its Sentinels"]
      : []),
  ];
}

function memoryProblems(info: Info): readonly string[] {
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (policy === "noeviction") return [];
  return [
    `maxmemory-policy is ${policy}: Redis may forget operations and audit entries without an error; set noeviction`,
  ];
}

function diskProblems(info: Info, appendfsync = "always"): readonly string[] {
  const off =
    "appendonly is no: a crash of Redis forgets what it had acknowledged; set appendonly yes and appendfsync always";
  const late = `appendfsync is ${appendfsync}: a power failure forgets what was acknowledged just before; set always`;
  return [
    ...(info.get("aof_enabled") === "0" ? [off] : []),
    ...(info.get("aof_enabled") === "1" && appendfsync !== "always" ? [late] : []),
    ...(info.get("aof_last_write_status") === "err"
      ? ["Redis cannot write its append-only file: look at its log and its disk"]
      : []),
  ];
}

/** Undefined where the ACL, or the service that hosts the server, does not let us ask. */
async function setting(redis: Redis, name: string): Promise<string | undefined> {
  try {
    const [, value] = (await redis.call("CONFIG", "GET", name)) as [string?, string?];
    return value;
  } catch (error) {
    if (/NOPERM|unknown command/i.test(String(error))) return undefined;
    throw error;
  }
}

function fieldsOf(info: string): Info {
  return new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(":");
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );
}

export type RedisWatch = {
  /** What the last check found; empty before the first. */
  problems(): readonly string[];
  /** Looks again; keeps what it knew where the server does not answer. */
  check(): Promise<void>;
};

/** Checks with every new connection, which may be to another server, and whenever it is told to. */
export function watchRedis(redis: Redis, onChange: (check: RedisCheck) => void): RedisWatch {
  let last: RedisCheck = { problems: [], unknown: [] };
  let told = "";
  const check = async (): Promise<void> => {
    last = await checkRedis(redis);
    const now = JSON.stringify(last);
    if (now !== told) onChange(last);
    told = now;
  };
  redis.on("ready", () => void check().catch(() => undefined));
  return { problems: () => last.problems, check };
}
