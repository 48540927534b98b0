import { readdirSync, readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FlowKey } from "../../src/flows/flow-key.ts";
import { createMutes, mutedPattern, muteId } from "../../src/flows/mutes.ts";
import { createRedisLedger } from "../../src/flows/redis-ledger.ts";
import { createSourceStates } from "../../src/flows/source-states.ts";
import { createTurns } from "../../src/flows/turns.ts";
import { openConsole } from "../../src/sandbox/console.ts";
import { playTour } from "../../src/sandbox/tour.ts";
import { startWorld } from "../../src/sandbox/world.ts";
import { createObservations } from "../../src/scheduler/observations.ts";
import { checkout, read } from "./manifests.ts";
import { type ComponentRedis, passwords, startComponentRedis } from "./own-redis.ts";

describe("the Redis of deploy/components/redis, started by its own script", () => {
  let server: ComponentRedis;
  let admin: Redis;
  let bot: Redis;
  const clients: Redis[] = [];
  const connect = (user: string, password: string): Redis => {
    const client = server.connect(user, password);
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    server = await startComponentRedis();
    admin = connect("admin", passwords.admin);
    bot = connect("bulkhead", passwords.bot);
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await server?.stop();
  });

  it("writes every change to disk before it answers, and forgets nothing for want of memory", async () => {
    const settings = ["appendonly", "appendfsync", "save", "maxmemory-policy", "maxmemory"];
    const given = await Promise.all(settings.map(async (name) => (await admin.config("GET", name)) as string[]));
    expect(Object.fromEntries(given)).toEqual({
      appendonly: "yes",
      appendfsync: "always",
      save: "",
      "maxmemory-policy": "noeviction",
      maxmemory: String(256 * 1024 * 1024),
    });
  });

  it("lets in nobody without a name, and nobody with a wrong password", async () => {
    await expect(connect("default", "").get("x")).rejects.toThrow(/NOAUTH|WRONGPASS|Connection is closed/);
    await expect(connect("bulkhead", "guess").get("x")).rejects.toThrow(/WRONGPASS|Connection is closed/);
    await expect(connect("bulkhead", passwords.admin).get("x")).rejects.toThrow(/WRONGPASS|Connection is closed/);
  });

  it("lets the probe ask whether it answers, and nothing else", async () => {
    const probe = connect("probe", "-");
    await expect(probe.ping()).resolves.toBe("PONG");
    await expect(probe.get("{bulkhead}:audit:head")).rejects.toThrow(/NOPERM/);
    await expect(probe.info()).rejects.toThrow(/NOPERM/);
  });

  it.each([
    ["get", "somebody-else"],
    ["set", "other:{bulkhead}:", "1"],
    ["flushall"],
    ["flushdb"],
    ["keys", "*"],
    ["scan", "0"],
    ["config", "set", "appendfsync", "no"],
    ["acl", "list"],
    ["shutdown"],
    ["replicaof", "no", "one"],
    ["rename", "{bulkhead}:audit", "{bulkhead}:gone"],
    ["script", "flush"],
    ["function", "list"],
    ["monitor"],
    ["client", "list"],
    ["eval", "return redis.call('get', 'somebody-else')", "0"],
    ["eval", "return redis.call('flushall')", "0"],
  ])("refuses the bot %s", async (command, ...args) => {
    await expect(bot.call(command, ...args)).rejects.toThrow(/NOPERM|can't access|can't run/);
  });

  it("lets the bot count flows, roll minutes up, mute, take turns and keep what was observed", async () => {
    await admin.call("acl", "log", "reset");
    const hourMs = 3_600_000;
    const nowMs = Math.floor(Date.now() / 60_000) * 60_000;
    const ledger = createRedisLedger(bot, { keepMs: 6 * hourMs });
    const key: FlowKey = {
      cluster: "eu",
      class: "denied",
      from: { kind: "node" },
      to: { kind: "range", cidr: "10.0.0.0/24" },
      protocol: "TCP",
      port: 80,
      direction: "egress",
      reason: "no-rule",
      policies: [],
    };
    for (const ageMs of [8 * hourMs, 2 * hourMs, 0]) {
      const minuteMs = nowMs - ageMs;
      const tally = {
        key,
        minuteMs,
        count: 3,
        unit: "events",
        atLeast: false,
        firstMs: minuteMs,
        lastMs: minuteMs,
      } as const;
      const losses = [{ cluster: "eu", minuteMs, kind: "source", count: 1 }] as const;
      await ledger.write({ id: `b-${ageMs}`, tallies: [tally], losses });
    }
    await ledger.tend(nowMs);
    const view = await ledger.read({ cluster: "eu", fromMs: nowMs - 5 * hourMs, toMs: nowMs + 60_000 });
    expect(view.series.map(({ count }) => count)).toEqual([6]);
    const mutes = createMutes(bot);
    const by = { kind: "in-pod" } as const;
    await mutes.put({ id: muteId(key), pattern: mutedPattern(key), by, at: nowMs, until: nowMs + hourMs }, nowMs);
    expect([await mutes.all(nowMs + 2 * hourMs), await mutes.remove(muteId(key))]).toEqual([[], undefined]);
    const turns = createTurns(bot, "one");
    expect([await turns.take("eu/relay"), await turns.take("eu/relay")]).toEqual([true, true]);
    await turns.release("eu/relay");
    const states = createSourceStates(bot, "one");
    await states.tell([], nowMs - 48 * hourMs);
    expect(await states.all(nowMs)).toEqual([]);
    const observations = createObservations(bot);
    const seen = { name: "denied", count: 1, atLeast: false, firstAt: nowMs, lastAt: nowMs };
    await observations.add("q-1", { id: "p", counters: [seen], lines: [{ ...seen, kept: 9 }] });
    expect((await observations.read("q-1")).lines).toHaveLength(1);
    expect(await admin.call("acl", "log")).toEqual([]);
  });

  it("lets the bot do all that an incident takes, and refuses it nothing on the way", async () => {
    await admin.call("acl", "log", "reset");
    const lines: string[] = [];
    const write = (text: string) => void lines.push(text);
    const world = await startWorld({
      node: process.execPath,
      env: process.env,
      redisUrl: server.url,
      config: { settle: "0s" },
      traffic: true,
    });
    const console = openConsole({ slack: world.slack, channel: "C0INCIDENT", width: 100, write });
    try {
      expect(await playTour({ world, console, node: process.execPath, write })).toBe(0);
    } finally {
      console.close();
      await world.close();
    }
    const refused = (await admin.call("acl", "log")) as unknown[][];
    const objects = refused.map((entry) => entry[entry.indexOf("object") + 1]);
    expect(objects.filter((object) => object !== askedInVain)).toEqual([]);
    expect(await admin.xlen("{bulkhead}:audit")).toBeGreaterThan(3);
  });
});

/** Whether appendfsync is right is asked of every server; CONFIG GET also tells passwords, so this user may not. */
const askedInVain = "config|get";

describe("the bot's user", () => {
  const [line = ""] = /^user bulkhead .*$/m.exec(read("deploy/components/redis/users.acl")) ?? [];
  const granted = new Set([...line.matchAll(/\+([^\s)]+)/g)].map(([, name]) => name));

  it("may send every command that the code sends", () => {
    const sent = new Set(sources().flatMap(commandsIn));
    expect(sent.size).toBeGreaterThan(15);
    expect([...sent].filter((name) => !granted.has(name) && !askedInVain.startsWith(name))).toEqual([]);
  });

  it("has no category of commands and no way out of its keys", () => {
    expect([...line.matchAll(/[+-]@\S+|allcommands/g)].map(([rule]) => rule)).toEqual(["-@all", "-@all"]);
    expect([...line.matchAll(/[~%][^\s)]*|allkeys/g)].map(([rule]) => rule)).toEqual([
      "~{bulkhead}:*",
      "~{bulkhead}:history:*",
    ]);
  });
});

function sources(): readonly string[] {
  return readdirSync(`${checkout}src`, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.startsWith("sandbox/"))
    .map((path) => readFileSync(`${checkout}src/${path}`, "utf8"))
    .filter((source) => /from "ioredis"|redis\.call\(/.test(source));
}

/** What scripts call, and the client's methods; a subcommand is told apart where the ACL does. */
function commandsIn(source: string): readonly string[] {
  const inScripts = [...source.matchAll(/redis\.p?call\(["'](\w+)["']/g)].map(([, name = ""]) => name.toLowerCase());
  const direct = [...source.matchAll(/\bredis\s*\.([a-zA-Z]+)\((?:["'](\w+)["'])?/g)]
    .filter(([, method = ""]) => !notCommands.includes(method))
    .map(([, method = "", first = ""]) =>
      ["config", "script", "client", "acl", "memory"].includes(method) ? `${method}|${first.toLowerCase()}` : method,
    );
  const chains = [...source.matchAll(/\.(multi|pipeline)\(\)([\s\S]*?)\.exec\(/g)].flatMap(([, kind, chain = ""]) => [
    ...(kind === "multi" ? ["multi", "exec"] : []),
    ...[...`)${chain}`.matchAll(/\)\s*\.([a-zA-Z]+)\(/g)].map(([, method = ""]) => method),
  ]);
  return [...inScripts, ...[...direct, ...chains].map(commandOf)];
}

/** `hmgetBuffer` and `hscanBufferStream` are other forms of `hmget` and `hscan`. */
function commandOf(method: string): string {
  return method.replace(/(Buffer|Stream)+$/, "");
}

const notCommands = ["call", "pcall", "on", "once", "off", "disconnect", "connect", "duplicate", "pipeline", "multi"];
