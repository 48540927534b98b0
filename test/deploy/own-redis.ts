import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { checkout } from "./manifests.ts";

export type ComponentRedis = {
  readonly port: number;
  /** As the bot would be given it. */
  readonly url: string;
  /** A client of this user; who asks ends it. */
  connect(user: string, password: string): Redis;
  stop(): Promise<void>;
};

export const passwords = { bot: "bot-password", admin: "admin-password" } as const;

/** The Redis of deploy/components/redis, by its own start script and files: only the data folder and the port differ. */
export async function startComponentRedis(): Promise<ComponentRedis> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-component-redis-"));
  for (const name of ["bin", "run", "data"]) await mkdir(join(folder, name));
  await writeFile(join(folder, "bin/redis-server"), '#!/bin/sh\nexec "$REDIS_SERVER" "$@"\n', { mode: 0o755 });
  const port = await freePort();
  const given = join(checkout, "deploy/components/redis");
  const overridden = ["--dir", join(folder, "data"), "--port", `${port}`, "--bind", "127.0.0.1"];
  const server = spawn("sh", [join(given, "start.sh"), given, join(folder, "run"), ...overridden], {
    env: {
      PATH: `${join(folder, "bin")}:${process.env["PATH"]}`,
      REDIS_SERVER: process.env["REDIS_SERVER"],
      REDIS_PASSWORD: passwords.bot,
      REDIS_ADMIN_PASSWORD: passwords.admin,
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(server, "exit");
  const connect = (username: string, password: string): Redis => {
    const redis = new Redis(port, "127.0.0.1", {
      username,
      password,
      retryStrategy: () => null,
      lazyConnect: true,
      enableReadyCheck: false,
    });
    redis.on("error", () => undefined);
    return redis;
  };
  await waitFor(() => answers(connect("admin", passwords.admin)));
  return {
    port,
    url: `redis://bulkhead:${passwords.bot}@127.0.0.1:${port}/0`,
    connect,
    async stop() {
      server.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(redis: Redis): Promise<boolean> {
  try {
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}
