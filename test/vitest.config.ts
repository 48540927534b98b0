import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * Most of a test's time is waiting: one worker, which is the default on two cores, would leave them idle. Each has a
 * database of its own in a Redis of sixteen.
 */
const maxWorkers = Math.min(8, Math.max(2, availableParallelism() - 1));

/** They take longer than the unit suite may (three minutes on two cores), and run with the other long ones. */
const long = [
  "test/alertmanager.test.ts",
  "test/audit/away.test.ts",
  "test/audit/failover.test.ts",
  "test/audit/refusing.test.ts",
  "test/audit/retention.test.ts",
  "test/audit/spooled.test.ts",
  "test/cli.test.ts",
  "test/commands/allow-containment.test.ts",
  "test/commands/allow-rights.test.ts",
  "test/commands/allow.test.ts",
  "test/commands/allowance-nets.test.ts",
  "test/commands/api-away.test.ts",
  "test/commands/api-faults.test.ts",
  "test/commands/attribution.test.ts",
  "test/commands/audit-cost.test.ts",
  "test/commands/clusters.test.ts",
  "test/commands/contain.test.ts",
  "test/commands/drift-others.test.ts",
  "test/commands/drift.test.ts",
  "test/commands/flux-pause.test.ts",
  "test/commands/observe.test.ts",
  "test/commands/redis-away.test.ts",
  "test/commands/rollback-operations.test.ts",
  "test/commands/rollback-races.test.ts",
  "test/commands/rollback-safety.test.ts",
  "test/commands/shipped-templates.test.ts",
  "test/commands/spike-cut.test.ts",
  "test/commands/spike-killed.test.ts",
  "test/commands/takeover.test.ts",
  "test/commands/tracing.test.ts",
  "test/commands/undo-owed.test.ts",
  "test/commands/verify-enforcement.test.ts",
  "test/config-problems.test.ts",
  "test/deploy/dashboard.test.ts",
  "test/deploy/dockerfile.test.ts",
  "test/deploy/overlays.test.ts",
  "test/deploy/redis-component.test.ts",
  "test/e2e/clusters.test.ts",
  "test/e2e/demo.test.ts",
  "test/e2e/drift.test.ts",
  "test/e2e/flow-sources.test.ts",
  "test/e2e/flows.test.ts",
  "test/e2e/home.test.ts",
  "test/e2e/http-redis-away.test.ts",
  "test/e2e/proxy.test.ts",
  "test/e2e/slack-faults.test.ts",
  "test/e2e/thread.test.ts",
  "test/e2e/tour.test.ts",
  "test/e2e/traces.test.ts",
  "test/e2e/watched.test.ts",
  "test/flow-receiver.test.ts",
  "test/flows/grpc-trouble.test.ts",
  "test/flows/hubble-relay.test.ts",
  "test/flows/mutations.test.ts",
  "test/flows/recorded-days.test.ts",
  "test/flows/replicas.test.ts",
  "test/kubernetes/connection.test.ts",
  "test/kubernetes/faults.test.ts",
  "test/pictures/labels.test.ts",
  "test/pictures/pictures.test.ts",
  "test/redis-tls.test.ts",
  "test/redis.test.ts",
  "test/sandbox/kubernetes/cluster.test.ts",
  "test/sandbox/kubernetes/contract.test.ts",
  "test/scheduler/timer-worker.test.ts",
  "test/slack/faults.test.ts",
  "test/slack/groups.test.ts",
  "test/slack/pictures.test.ts",
  "test/slack/plan.test.ts",
  "test/slack/updates.test.ts",
];

/** What is waited for comes in milliseconds, and in seconds where the machine has much else to do. */
const common = {
  environment: "node",
  testTimeout: 20_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 10_000 } },
} as const;

/** Whole processes are killed and started again and again: one file at a time, each test as long as it takes. */
const slow = { ...common, testTimeout: 300_000, hookTimeout: 120_000, fileParallelism: false } as const;

/** `unit` needs a Redis (REDIS_URL); `cluster` needs a real control plane besides (KUBECONFIG); `chaos` and `soak` use one where it is there. */
// oxlint-disable-next-line import/no-default-export -- vitest reads the default export
export default defineConfig({
  test: {
    maxWorkers,
    projects: [
      {
        test: {
          ...common,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/cluster/**", "test/chaos/**", ...long],
        },
      },
      {
        test: {
          ...common,
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...slow,
          name: "chaos",
          include: ["test/chaos/**/*.test.ts", ...long],
          exclude: ["test/chaos/soak.test.ts"],
        },
      },
      { test: { ...slow, name: "soak", include: ["test/chaos/soak.test.ts"] } },
    ],
  },
});
