import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Redis } from "ioredis";
import { createAuditLog } from "../../src/audit/log.ts";
import type { Outlet } from "../../src/commands/desk.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { createDesk } from "../../src/commands/run.ts";
import type { MeterEvent, Services } from "../../src/commands/services.ts";
import { createHistory } from "../../src/history/history.ts";
import type { Cluster } from "../../src/kubernetes/cluster.ts";
import { authorsOf } from "../../src/policy/authors.ts";
import type { Endpoint } from "../../src/policy/endpoint.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { createIncidents } from "../../src/scheduler/incidents.ts";
import { createLeases } from "../../src/scheduler/leases.ts";
import { createLimits } from "../../src/scheduler/limits.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { approvalSettings } from "../commands/approval-settings.ts";
import { canarySettings } from "../commands/canary-settings.ts";

const alice: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" };

export type BotDesk = {
  /** As alice, who may do everything in the namespaces. */
  type(text: string): Promise<Reply>;
  confirm(operation: string, action?: "confirm" | "confirm-again" | "retry" | "restore" | "show"): Promise<Reply>;
  /** What went wrong behind the replies. */
  errors(): readonly MeterEvent[];
  readonly services: Services;
};

/** A desk over a real cluster and the real Redis, by the real clock; it settles for 500 ms. */
export function createBotDesk(
  cluster: Cluster,
  redis: Redis,
  namespaces: readonly string[],
  endpoints: readonly Endpoint[] = [],
): BotDesk {
  const events: MeterEvent[] = [];
  const services = servicesFor(cluster, redis, { namespaces, events, endpoints });
  const desk = createDesk(services);
  const outlet: Outlet = {
    show: (reply, card) =>
      Promise.resolve({ card: card ?? (reply.shape === "card" ? cardOf(reply) : undefined), reached: true }),
  };
  const run = randomUUID();
  let deliveries = 0;
  const asked = () =>
    ({ principal: alice, source: "slack", channel: "C1", at: Date.now(), delivery: `${run}-${deliveries++}` }) as const;
  return {
    services,
    type: (text) => desk.run({ ...asked(), text }, outlet),
    confirm: (operation, action = "confirm") => desk.press({ ...asked(), action, operation, card: undefined }, outlet),
    errors: () => events.filter(({ kind }) => kind === "error"),
  };
}

function cardOf({ operation = "" }: Reply) {
  return { channel: "C1", ts: operation };
}

type Around = {
  readonly namespaces: readonly string[];
  readonly events: MeterEvent[];
  readonly endpoints: readonly Endpoint[];
};

function servicesFor(cluster: Cluster, redis: Redis, { namespaces, events, endpoints }: Around): Services {
  return {
    settings: {
      access: { rules: [{ principals: ["slack:T1/U1"], verbs: ["*"], namespaces: [...namespaces] }], people: [] },
      protectedNamespaces: ["kube-system"],
      ownNamespace: "bulkhead",
      redisService: undefined,
      endpoints,
      settleMs: 500,
      realiseMs: 2_000,
      writesCalicoStorage: false,
      detach: true,
      requiresReaper: false,
      limits: { pods: 5, perPerson: 1_000, perCluster: 1_000 },
      clusters: { home: cluster.name, defaultCluster: undefined, channels: {} },
      ...approvalSettings,
      canary: canarySettings,
    },
    clusters: new Map([[cluster.name, { cluster, enforcement: "enforced" }]]),
    operations: createOperations(redis, { now: Date.now }),
    leases: createLeases(redis),
    incidents: createIncidents(redis),
    history: createHistory(redis, { keepMs: 86_400_000, perPolicy: 50, authors: authorsOf }),
    limits: createLimits(redis),
    templates: { all: () => [], problems: () => [] },
    audit: createAuditLog(redis, { onEntry: () => undefined }),
    now: Date.now,
    wait: (ms) => wait(ms),
    replica: "test",
    meter: (event) => void events.push(event),
  };
}

/** Everything that a reply says below its headline, as one text. */
export function wordsOf({ sections }: Reply): string {
  return JSON.stringify(sections);
}
