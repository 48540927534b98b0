// Runs on Node 20 with nothing installed: no packages, no TypeScript.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { unpackRedis } from "./redis-unpack.mjs";

/** Oldest supported: streams and scripts behave alike from there on. */
const oldestMajor = 7;

/**
 * Calls `run` with the environment of a Redis: `REDIS_URL`, and `REDIS_SERVER`, an executable that starts another
 * redis-server with the arguments given to it. A REDIS_URL that is set already is used; else a server of our own is
 * started on a free port, and stopped afterwards, whatever happens.
 */
export async function withRedis(run) {
  if (process.env.REDIS_URL) return run({ REDIS_SERVER: process.env.REDIS_SERVER ?? onPath() ?? "" });
  const executable = process.env.REDIS_SERVER || onPath() || unpackRedis();
  const server = await start(executable);
  try {
    return await run({ REDIS_URL: server.url, REDIS_SERVER: executable });
  } finally {
    await server.stop();
  }
}

/** A redis-server on PATH that is new enough. */
function onPath() {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, "redis-server")).find((file) => majorVersion(file) >= oldestMajor);
}

function majorVersion(executable) {
  const { stdout } = spawnSync(executable, ["--version"], { encoding: "utf8" });
  return Number(/v=(\d+)\./.exec(stdout ?? "")?.[1] ?? 0);
}

async function start(executable, attempts = 3) {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-redis-"));
  const port = await freePort();
  const child = spawnTied(executable, ["--port", String(port), "--dir", folder, ...settings]);
  const stop = async () => {
    const gone = child.exitCode === null ? new Promise((resolve) => child.once("exit", resolve)) : undefined;
    child.stdin.end();
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answering(port, child);
    return { url: `redis://127.0.0.1:${port}`, stop };
  } catch (error) {
    await stop();
    // Another process may have taken the port in between.
    if (attempts > 1) return start(executable, attempts - 1);
    throw error;
  }
}

/** As the deployment has it; more databases, for one per test worker. */
const settings = [
  "--bind 127.0.0.1 --daemonize no --databases 256 --loglevel warning",
  "--appendonly yes --appendfsync always --maxmemory-policy noeviction",
].flatMap((line) => line.split(" "));
settings.push("--save", "");

/**
 * Ties a server's life to ours: the shell around it ends it when our end of its standard input closes, even by
 * kill -9. In a session of its own, so that Ctrl-C leaves it to us.
 */
function spawnTied(executable, args) {
  const shell = '"$@" </dev/null & pid=$!; read -r _; kill $pid 2>/dev/null; wait $pid';
  const child = spawn("sh", ["-c", shell, "sh", executable, ...args], { detached: true, stdio: ["pipe", "pipe", 2] });
  child.stdin.on("error", () => {});
  child.said = "";
  child.stdout.on("data", (data) => {
    child.said = `${child.said}${data}`.slice(-2_000);
  });
  return child;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function answering(port, child) {
  const deadline = Date.now() + 5_000;
  while (!(await pings(port))) {
    if (Date.now() > deadline) throw new Error(`redis-server did not answer within 5 s of its start: ${child.said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function pings(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once("data", (data) => {
      resolve(String(data).startsWith("+PONG"));
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}
