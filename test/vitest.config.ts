import { defineConfig } from "vitest/config";

const common = { environment: "node", testTimeout: 20_000, hookTimeout: 60_000 } as const;

/** `unit` needs a Redis (REDIS_URL); `cluster` needs a real control plane besides (KUBECONFIG). */
// oxlint-disable-next-line import/no-default-export -- vitest reads the default export
export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/cluster/**"] } },
      {
        test: {
          ...common,
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
