import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { waitFor } from "./wait.ts";

/**
 * A client on REDIS_URL with an empty database of this worker's own: test files that run at once do not see each
 * other's keys. The caller ends it: `redis.disconnect()`.
 */
export async function connectTestRedis(): Promise<Redis> {
  const redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: 1 });
  await redis.flushdb();
  return redis;
}

/** The address of an emptied database: what other tests have counted in it counts against nobody. */
export async function emptyTestRedis(): Promise<string> {
  (await connectTestRedis()).disconnect();
  return testRedisUrl();
}

/** REDIS_URL with this worker's database as its path, for what connects by itself. */
export function testRedisUrl(): string {
  const url = process.env["REDIS_URL"];
  if (url === undefined || url === "") throw new Error("REDIS_URL is not set: run the tests by `npm test`");
  return new URL(`/${process.env["VITEST_POOL_ID"] ?? "1"}`, url).href;
}

/** A redis-server that a test may stop, kill and start again: same port, same data folder. */
export type OwnRedis = {
  readonly url: string;
  readonly port: number;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Freezes it: connections stay open and nothing answers; `resume` undoes it. */
  freeze(): void;
  resume(): void;
  /** Starts it again after `kill`, with these further arguments, and waits until it has loaded its data. */
  restart(more?: readonly string[]): Promise<void>;
  /** Ends it for good and removes its data. */
  stop(): Promise<void>;
};

const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction"];

/** Starts one with AOF on every write; `args` are further arguments of redis-server. */
export async function startOwnRedis(args: readonly string[] = []): Promise<OwnRedis> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-own-redis-"));
  const port = await freePort();
  const start = (more: readonly string[] = []) => startServer(port, ["--dir", folder, ...durable, ...args, ...more]);
  let server = await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill: () => server.kill(),
    freeze: () => process.kill(server.pid, "SIGSTOP"),
    resume: () => process.kill(server.pid, "SIGCONT"),
    restart: async (more) => {
      server = await start(more);
    },
    stop: async () => {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Certificates that openssl made for this test: one authority, and one certificate of it for 127.0.0.1. */
export type Certificates = {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Arguments that make a redis-server, or a Sentinel, speak TLS only, and ask clients for a certificate. */
  readonly args: readonly string[];
};

/** Makes them in the folder. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]) => promisify(execFile)("openssl", args, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await openssl("req", "-x509", ...key, "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt");
  await openssl("req", ...key.slice(0, -2), "-subj", "/CN=bulkhead", "-keyout", "tls.key", "-out", "tls.csr");
  await writeFile(path("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  const sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
  await openssl("x509", "-req", "-in", "tls.csr", ...sign, "-out", "tls.crt");
  const files = { caFile: path("ca.crt"), certFile: path("tls.crt"), keyFile: path("tls.key") };
  return {
    ...files,
    args: `--tls-ca-cert-file ${files.caFile} --tls-cert-file ${files.certFile} --tls-key-file ${files.keyFile}`
      .concat(" --tls-auth-clients yes --tls-replication yes")
      .split(" "),
  };
}

type SentinelOptions = {
  /** Then everything among servers, Sentinel and clients is TLS, with client certificates. */
  readonly certificates?: Certificates;
  /** What the Sentinel wants of its clients. */
  readonly sentinelPassword?: string;
};

/** A master with a replica and one Sentinel, which is enough to decide; the Sentinel fails over after half a second. */
export async function startSentinels({ certificates, sentinelPassword }: SentinelOptions = {}) {
  const name = "bulkhead";
  const tls = certificates === undefined ? undefined : await Promise.all([freePort(), freePort(), freePort()]);
  const tlsArgs = (index: number): readonly string[] =>
    tls === undefined ? [] : ["--tls-port", `${tls[index]}`, ...(certificates?.args ?? [])];
  const master = await startOwnRedis(tlsArgs(0));
  const masterPort = tls?.[0] ?? master.port;
  const announced = tls === undefined ? [] : ["--replica-announce-port", `${tls[1]}`];
  const replica = await startOwnRedis(["--replicaof", "127.0.0.1", `${masterPort}`, ...announced, ...tlsArgs(1)]);
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-sentinel-"));
  const file = join(folder, "sentinel.conf");
  const settings = [
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 1`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 5000`,
    ...(sentinelPassword === undefined ? [] : [`requirepass ${sentinelPassword}`]),
  ];
  await writeFile(file, settings.map((line) => `${line}\n`).join(""));
  const port = await freePort();
  const sentinel = await startServer(port, ["--dir", folder, ...tlsArgs(2)], file);
  const ask = new Redis(port, "127.0.0.1", { ...(sentinelPassword && { password: sentinelPassword }) });
  ask.on("error", () => undefined);
  await waitFor(async () => /slaves=1/.test(await ask.info()), { timeoutMs: 20_000 });
  return {
    master,
    replica,
    url: `${tls === undefined ? "redis" : "rediss"}+sentinel://127.0.0.1:${tls?.[2] ?? port}/${name}`,
    /** The port of the server that the Sentinel names as the master. */
    async masterPort(): Promise<number> {
      const [, found] = (await ask.call("SENTINEL", "get-master-addr-by-name", name)) as [string, string];
      return Number(found);
    },
    async stop() {
      ask.disconnect();
      await sentinel.kill();
      await Promise.all([master.stop(), replica.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The shell around the server prints its process id, and ends it when this process is gone, however that came. */
const shell = '"$@" </dev/null >/dev/null & echo $!; read -r _; kill -9 $! 2>/dev/null';

/** With a file it is a Sentinel with that configuration. */
async function startServer(port: number, args: readonly string[], sentinelFile?: string) {
  const executable = process.env["REDIS_SERVER"];
  if (!executable) throw new Error("REDIS_SERVER is not set: run the tests by `npm test`");
  const settings = ["--port", `${port}`, "--bind", "127.0.0.1", ...args];
  const mode = sentinelFile === undefined ? [] : [sentinelFile, "--sentinel"];
  const child = spawn("sh", ["-c", shell, "sh", executable, ...mode, ...settings], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  await waitFor(() => answers(port), { timeoutMs: 60_000 });
  return { pid: Number(line), kill: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.stdin?.end();
  await exit;
}

/** Loading its data, a server accepts connections and refuses PING. */
async function answers(port: number): Promise<boolean> {
  const redis = new Redis(port, "127.0.0.1", {
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
    protocol: 2,
  });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return (await redis.ping()) === "PONG";
  } catch (error) {
    return String(error).includes("NOAUTH");
  } finally {
    redis.disconnect();
  }
}

/** A port of 127.0.0.1 that nobody has at the moment. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
