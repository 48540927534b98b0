import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { stringify } from "yaml";
import { type Connection, createConnection } from "../../src/kubernetes/connection.ts";
import { type Bot, startBot } from "../../src/sandbox/bot-process.ts";
import { type SandboxCluster, startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import { type SandboxSlack, type SandboxSlackOptions, startSandboxSlack } from "../../src/sandbox/slack/server.ts";
import { type OwnRedis, startOwnRedis } from "../redis.ts";
import { type ClusterWrite, watchWrites } from "./cluster-writes.ts";
import { type Kept, readKept } from "./kept.ts";
import { type KubeProxy, startKubeProxy } from "./kube-proxy.ts";
import { type RedisProxy, startRedisProxy } from "./redis-proxy.ts";

/** One bot process with proxies of its own, which outlive it. */
export type Replica = {
  readonly name: string;
  readonly kube: KubeProxy;
  readonly redis: RedisProxy;
  /** Undefined while it is dead. */
  readonly bot: () => Bot | undefined;
  /** Starts the process, and resolves when it is ready. */
  start(): Promise<Bot>;
  /** kill -9, if it is alive. */
  kill(): Promise<void>;
};

/** A Slack, a Redis and a cluster, and as many replicas of the real bot as are added. */
export type Arena = {
  readonly slack: SandboxSlack;
  /** The sandbox's cluster, where none was given. */
  readonly cluster: SandboxCluster | undefined;
  /** Past every proxy, with all rights. */
  readonly admin: Connection;
  readonly server: OwnRedis;
  /** Past every proxy; rejects at once while the server is away. */
  readonly redis: Redis;
  readonly writes: () => readonly ClusterWrite[];
  readonly kept: () => Promise<Kept>;
  /** A replica that is not started yet. */
  addReplica(): Promise<Replica>;
  readonly replicas: readonly Replica[];
  close(): Promise<void>;
};

export type ArenaOptions = {
  /** Of a real control plane; otherwise the sandbox's cluster is used, with `objects` in it. */
  readonly kubernetes?: { readonly admin: string; readonly bot: string };
  readonly objects?: readonly object[];
  /** Members of the configuration file that differ from `configuration`. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly slack?: SandboxSlackOptions;
  /** More variables for the bots, some of which the Slack decides. */
  readonly env?: (slack: SandboxSlack) => Readonly<Record<string, string>>;
};

export async function startArena(options: ArenaOptions = {}): Promise<Arena> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-arena-"));
  const cluster = options.kubernetes ? undefined : await startSandboxCluster({ objects: options.objects ?? [] });
  const kubeconfigs = options.kubernetes ?? { admin: cluster?.kubeconfig ?? "", bot: cluster?.kubeconfig ?? "" };
  const slack = await startSandboxSlack(options.slack);
  const server = await startOwnRedis();
  const redis = new Redis(server.url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: 2_000,
    socketTimeout: 3_000,
    retryStrategy: () => 50,
  });
  redis.on("error", () => undefined);
  const admin = createConnection({ source: { kind: "text", text: kubeconfigs.admin }, now: Date.now });
  const spools: string[] = [];
  const kept = () => readKept(admin, spools);
  const watch = watchWrites(redis, kept);
  const replicas: Replica[] = [];
  const env = { ...environment(slack), ...options.env?.(slack) };
  const configure = async (name: string): Promise<string> => {
    const file = join(folder, `${name}.yaml`);
    const spool = { folder: join(folder, `${name}-spool`) };
    spools.push(spool.folder);
    await writeFile(file, stringify({ ...configuration(slack.teamId), spool, ...options.config }));
    return file;
  };
  return {
    slack,
    cluster,
    admin,
    server,
    redis,
    writes: () => watch.seen(),
    kept,
    replicas,
    async addReplica() {
      const name = `replica-${replicas.length + 1}`;
      const kube = await startKubeProxy(kubeconfigs.bot);
      kube.observe((call) => watch.observe(call));
      const kubeconfig = join(folder, `${name}.kubeconfig`);
      await writeFile(kubeconfig, kube.kubeconfig);
      const proxy = await startRedisProxy(server.port);
      const own = { KUBECONFIG: kubeconfig, REDIS_URL: proxy.url, BULKHEAD_CONFIG: await configure(name) };
      const replica = createReplica(name, kube, proxy, { ...env, ...own });
      replicas.push(replica);
      return replica;
    },
    async close() {
      await Promise.all(replicas.map((replica) => replica.kill()));
      await Promise.all(replicas.flatMap(({ kube, redis: proxy }) => [kube.close(), proxy.close()]));
      redis.disconnect();
      await Promise.all([admin.close(), slack.close(), cluster?.close(), server.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Alice may do everything everywhere, Bob only look; two seconds are too long to settle a hundred times. */
function configuration(team: string): Readonly<Record<string, unknown>> {
  return {
    clusters: [{ name: "chaos", enforcement: "enforced" }],
    settle: "0s",
    limits: { perPerson: 1_000_000, perCluster: 1_000_000 },
    access: [
      { principals: [`slack:${team}/U0ALICE`], verbs: ["*"], namespaces: ["*"] },
      { principals: [`slack:${team}/U0BOB`], verbs: ["status", "audit"], namespaces: ["*"] },
    ],
  };
}

function environment(slack: SandboxSlack): Readonly<Record<string, string | undefined>> {
  return {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    // As in the image.
    NODE_COMPILE_CACHE: join(tmpdir(), "bulkhead-compile-cache"),
    SLACK_API_URL: slack.apiUrl,
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_APP_TOKEN: slack.appToken,
  };
}

function createReplica(
  name: string,
  kube: KubeProxy,
  redis: RedisProxy,
  env: Readonly<Record<string, string | undefined>>,
): Replica {
  let bot: Bot | undefined;
  return {
    name,
    kube,
    redis,
    bot: () => bot,
    async start() {
      bot = await startBot({ node: process.execPath, env: { ...env, HOSTNAME: name }, readyWithinMs: 60_000 });
      return bot;
    },
    async kill() {
      const killed = bot;
      bot = undefined;
      await killed?.kill();
    },
  };
}
