import type { Arena, Replica } from "./arena.ts";
import type { Random } from "./random.ts";
import type { Fault } from "./tap.ts";

/** What goes wrong for some seconds; the answer makes it well again. */
export type Trouble = (arena: Arena, random: Random) => Promise<() => unknown>;

const well = () => undefined;

/** By what they are called in the report. The first replica is never killed: its memory is watched. */
export const troubles: Readonly<Record<string, Trouble>> = {
  "a replica killed": async ({ replicas }, random) => {
    const victim = random.pick(replicas.slice(1));
    await victim.kill();
    return () => victim.start();
  },
  "Redis killed": async ({ server }) => {
    await server.kill();
    return () => server.restart();
  },
  "Redis frozen": async ({ server }) => {
    server.freeze();
    return () => server.resume();
  },
  "connections to Redis cut": async ({ replicas }) => {
    for (const { redis } of replicas) redis.cut();
    return well;
  },
  "Redis out of a replica's reach": async ({ replicas }, random) => {
    const { redis } = random.pick(replicas);
    redis.blackhole(true);
    return () => redis.blackhole(false);
  },
  "answers of Redis lost": async ({ replicas }, random) => {
    const { redis } = random.pick(replicas);
    redis.decide(({ write }) => (write > 0 && random.chance(0.1) ? { answer: "reset" } : undefined));
    return () => redis.decide(undefined);
  },
  "a fifth of the API's calls failing": async ({ replicas }, random) => {
    const faults: readonly Fault[] = [
      ...[429, 500, 503].map((status) => ({ instead: status })),
      { instead: "reset" },
      { answer: "reset" },
    ];
    for (const { kube } of replicas) kube.decide(() => (random.chance(0.2) ? random.pick(faults) : undefined));
    return () => forAll(replicas, ({ kube }) => kube.decide(undefined));
  },
  "the API hanging for a replica": async ({ replicas }, random) => {
    const { kube } = random.pick(replicas);
    kube.decide(() => ({ instead: "hang" }));
    return () => {
      kube.decide(undefined);
      kube.cut();
    };
  },
  "watches broken": async ({ replicas }) => {
    for (const { kube } of replicas) kube.cut();
    return well;
  },
  "Slack limiting": async ({ slack }) => slack.faults.add({ kind: "rate-limited", retryAfterS: 1, method: "chat.*" }),
  "Slack answering 503": async ({ slack }) => slack.faults.add({ kind: "status", status: 503, method: "chat.*" }),
  "Slack refreshing": async ({ slack }) => {
    slack.disconnect("refresh_requested");
    return well;
  },
  "connections to Slack dropped": async ({ slack }) => {
    slack.drop();
    return well;
  },
};

function forAll(replicas: readonly Replica[], heal: (replica: Replica) => void): void {
  for (const replica of replicas) heal(replica);
}
