import type { Services } from "../../src/commands/services.ts";

/** The canary as configuration has it by default; with an image, since no Bulkhead runs in most test clusters. */
export const canarySettings: Services["settings"]["canary"] = {
  namespace: "bulkhead-canary",
  image: "bulkhead:test",
  nodePoolLabel: undefined,
  tolerateTaints: false,
  startMs: 120_000,
  effectMs: 30_000,
  keepMs: 86_400_000,
};
