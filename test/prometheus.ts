import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "./redis.ts";
import { waitFor } from "./wait.ts";

/** A real server of Prometheus' family on loopback, which a test may stop and start again with its data. */
export type OwnServer = {
  readonly url: string;
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/** From Debian's packages, or PROMETHEUS_HOME; where they are not to be had this throws, and so the test fails. */
async function program(name: "prometheus" | "promtool" | "prometheus-alertmanager"): Promise<string> {
  const script = fileURLToPath(new URL("../.ci/prometheus-unpack.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 300_000 });
  return join(stdout.trim(), name);
}

/** What promtool says of it; rejects with its words where it is not content. */
export async function promtool(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(await program("promtool"), [...args], { timeout: 120_000 });
  return stdout;
}

/** `pager`: an address that is posted each alert by itself, at once, as it begins and as it ends. */
export async function startAlertmanager(pager?: string): Promise<OwnServer> {
  const route = {
    receiver: "pager",
    group_by: ["..."],
    group_wait: "0s",
    group_interval: "1s",
    repeat_interval: "24h",
  };
  const receiver = { name: "pager", ...(pager !== undefined && { webhook_configs: [{ url: pager }] }) };
  // JSON is YAML.
  return startOwn("prometheus-alertmanager", JSON.stringify({ route, receivers: [receiver] }), (file, folder, port) => [
    `--config.file=${file}`,
    `--storage.path=${folder}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--cluster.listen-address=",
    "--log.level=error",
  ]);
}

/** `config`: as prometheus.yml has it. */
export async function startPrometheus(config: string): Promise<OwnServer> {
  return startOwn("prometheus", config, (file, folder, port) => [
    `--config.file=${file}`,
    `--storage.tsdb.path=${folder}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--log.level=error",
  ]);
}

async function startOwn(
  name: "prometheus" | "prometheus-alertmanager",
  config: string,
  argsFor: (file: string, folder: string, port: number) => readonly string[],
): Promise<OwnServer> {
  const executable = await program(name);
  const folder = await mkdtemp(join(tmpdir(), `bulkhead-${name}-`));
  const file = join(folder, "config.yml");
  await writeFile(file, config);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const unpacked = join(dirname(executable), "tree");
  const cwd = existsSync(unpacked) ? unpacked : folder;
  const start = async (): Promise<ChildProcess> => {
    const child = spawn("sh", ["-c", tied, "sh", executable, ...argsFor(file, folder, port)], {
      cwd,
      stdio: ["pipe", "ignore", "inherit"],
    });
    await waitFor(() => isReady(url), { timeoutMs: 60_000 });
    return child;
  };
  let child = await start();
  return {
    url,
    async restart() {
      await ended(child);
      child = await start();
    },
    async stop() {
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The server ends when this process is gone, however that came. */
const tied = '"$@" </dev/null & server=$!; read -r _; kill "$server" 2>/dev/null; wait "$server"';

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = once(child, "exit");
  child.stdin?.end();
  await exit;
}

async function isReady(url: string): Promise<boolean> {
  return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok ?? false;
}
