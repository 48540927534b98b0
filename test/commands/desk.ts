import { createAuditLog } from "../../src/audit/log.ts";
import { attributed } from "../../src/commands/attributed.ts";
import type { Outlet } from "../../src/commands/desk.ts";
import { proven } from "../../src/commands/proven.ts";
import type { Reply } from "../../src/commands/reply.ts";
import type { Press, Request } from "../../src/commands/request.ts";
import { createDesk } from "../../src/commands/run.ts";
import type { MeterEvent, Services } from "../../src/commands/services.ts";
import { createHistory } from "../../src/history/history.ts";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { createRecords } from "../../src/kubernetes/records.ts";
import { authorsOf } from "../../src/policy/authors.ts";
import type { CardReference } from "../../src/policy/operation.ts";
import type { Principal } from "../../src/policy/principal.ts";
import {
  type SandboxCluster,
  type SandboxClusterOptions,
  startSandboxCluster,
} from "../../src/sandbox/kubernetes/cluster.ts";
import { createIncidents } from "../../src/scheduler/incidents.ts";
import { createLeases } from "../../src/scheduler/leases.ts";
import { createLimits } from "../../src/scheduler/limits.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { createTimers } from "../../src/scheduler/timers.ts";
import { connectTestRedis } from "../redis.ts";
import { approvalSettings } from "./approval-settings.ts";
import { canarySettings } from "./canary-settings.ts";

const alice: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" };
export const bob: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U2", displayName: "bob" };

/** What an outlet was shown, with the card it was shown in place of. */
export type Shown = { readonly reply: Reply; readonly card: CardReference | undefined };

type DeskOptions = {
  readonly services?: Partial<Services>;
  readonly cluster?: SandboxClusterOptions;
  /** Settings that differ from those below. */
  readonly settings?: Partial<Services["settings"]>;
  /** Whether the cluster keeps a cache. */
  readonly watch?: boolean;
  /** The limit of every call to the cluster. */
  readonly timeoutMs?: number;
  /** By which the API server's clock is reckoned on; a test that moves that clock moves this one too. */
  readonly monotonic?: () => number;
};

/**
 * A desk over a sandbox cluster and the real Redis. Waiting is instant and moves the clock; alice may do everything in
 * payments and shop, bob only look.
 */
export async function startDesk(options: DeskOptions = {}) {
  const redis = await connectTestRedis();
  const sandbox = await startSandboxCluster(options.cluster);
  let elapsed = 0;
  const now = () => Date.now() + elapsed;
  const source = { kind: "text", text: sandbox.kubeconfig } as const;
  const limit = options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs };
  const { monotonic = () => performance.now() } = options;
  const connection = createConnection({ source, now, monotonic, cluster: "sandbox", ...limit });
  const events: MeterEvent[] = [];
  const history = createHistory(redis, { keepMs: 86_400_000, perPolicy: 50, authors: authorsOf });
  const operations = createOperations(redis, { now });
  const onWritten = attributed(history, () => undefined);
  const cluster = await createCluster("sandbox", connection, { now, watch: options.watch ?? false, onWritten });
  const services: Services = {
    settings: {
      access: {
        rules: [
          {
            principals: ["slack:T1/U1", "terminal:jane"],
            verbs: ["*"],
            namespaces: ["payments", "shop", "kube-system", "bulkhead"],
          },
          { principals: ["slack:T1/U2"], verbs: ["status", "audit"], namespaces: ["payments"] },
        ],
        people: [],
      },
      protectedNamespaces: ["kube-system"],
      ownNamespace: "bulkhead",
      redisService: undefined,
      endpoints: [],
      settleMs: 2_000,
      realiseMs: 2_000,
      writesCalicoStorage: false,
      detach: true,
      requiresReaper: false,
      limits: { pods: 5, perPerson: 1_000, perCluster: 1_000 },
      clusters: { home: "sandbox", defaultCluster: undefined, channels: {} },
      ...approvalSettings,
      canary: canarySettings,
      ...options.settings,
    },
    clusters: new Map([["sandbox", { cluster, enforcement: "enforced" }]]),
    operations,
    leases: createLeases(redis),
    incidents: createIncidents(redis),
    limits: createLimits(redis),
    timers: createTimers(redis),
    history: proven(history, operations),
    templates: { all: () => [], problems: () => [] },
    audit: createAuditLog(redis, { onEntry: () => undefined }),
    now,
    wait(ms) {
      elapsed += ms;
      return Promise.resolve();
    },
    replica: "test",
    meter: (event) => void events.push(event),
    ...options.services,
  };
  const desk = createDesk(services);
  const shown: Shown[] = [];
  const followed: Shown[] = [];
  const outlet: Outlet = {
    show(reply, card) {
      shown.push({ reply, card });
      const posted = reply.shape === "card" ? { channel: "C1", ts: `${shown.length}.0` } : undefined;
      return Promise.resolve({ card: card ?? posted, reached: true });
    },
    follow(reply, card) {
      followed.push({ reply, card });
      return Promise.resolve(true);
    },
  };
  let deliveries = 0;
  const asked = (principal: Principal) =>
    ({ principal, source: "slack", channel: "C1", at: now(), delivery: `d${deliveries++}` }) as const;
  return {
    services,
    sandbox,
    redis,
    events,
    shown,
    /** What was said below cards. */
    followed,
    outlet,
    desk,
    records: createRecords(connection, "bulkhead"),
    request: (text: string, principal = alice): Request => ({ ...asked(principal), text }),
    type(text: string, principal = alice): Promise<Reply> {
      return desk.run({ ...asked(principal), text }, outlet);
    },
    press(action: string, operation: string | undefined, changes: Partial<Press> = {}): Promise<Reply> {
      return desk.press({ ...asked(alice), action, operation: operation ?? "", card: undefined, ...changes }, outlet);
    },
    pass: (ms: number) => void (elapsed += ms),
    async close() {
      await cluster.close();
      await sandbox.close();
      redis.disconnect();
    },
  };
}

export type TestDesk = Awaited<ReturnType<typeof startDesk>>;

/** The one pod of that name, as it is stored. */
export function stored(sandbox: SandboxCluster, kind: string, name: string, namespace = "payments") {
  return sandbox.objects(kind, namespace).find(({ metadata }) => metadata.name === name);
}

/** Everything in a reply as one text, for assertions on what the reader sees. */
export function wordsIn(reply: Reply): string {
  return JSON.stringify([reply.headline, reply.sections, reply.footer]);
}
