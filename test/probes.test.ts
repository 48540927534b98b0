import { expect, test } from "vitest";
import { createMetrics } from "../src/metrics.ts";
import { startProbes } from "../src/probes.ts";

test("/livez and /readyz say what is wrong, each for itself", async () => {
  const stuck: string[] = [];
  const missing = ["Slack is not connected"];
  const degraded = ["Redis does not answer"];
  const readiness = () => ({ missing, degraded });
  const probes = await startProbes(0, createMetrics(), { stuck: () => stuck, readiness });
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${probes.port}${path}`);
    return [answer.status, await answer.text()];
  };
  try {
    expect(await ask("/readyz")).toEqual([503, "Slack is not connected\nRedis does not answer\n"]);
    expect(await ask("/livez?verbose")).toEqual([200, "ok\n"]);
    stuck.push("no watch has tried anything for five minutes");
    missing.length = 0;
    expect(await ask("/livez")).toEqual([503, "no watch has tried anything for five minutes\n"]);
    expect(await ask("/readyz")).toEqual([200, "ok\nRedis does not answer\n"]);
    degraded.length = 0;
    expect(await ask("/readyz")).toEqual([200, "ok\n"]);
  } finally {
    await probes.close();
  }
});
