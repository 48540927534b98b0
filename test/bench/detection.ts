import { detectEngines } from "../../src/engines/detect.ts";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { installPolicyApis } from "../cluster/crds.ts";
import { installPlugin } from "../cluster/network-plugins.ts";
import type { Row } from "./figures.ts";

const readings = 40;
const warmUp = 5;

/**
 * Detects the engines of the cluster of KUBECONFIG, in which the APIs of all engines are served and Cilium is installed as
 * far as detection looks: once for each reading, in turns with one bare request for the list of APIs.
 */
export async function measureDetection(kubeconfig: string): Promise<readonly Row[]> {
  const apis = await installPolicyApis();
  const uninstall = await installPlugin("cilium");
  const source = { kind: "files", paths: kubeconfig.split(":") } as const;
  const connection = createConnection({ source, now: Date.now });
  const cluster = await createCluster("bench", connection, { now: Date.now, watch: false });
  try {
    const [anew, held, list]: [number[], number[], number[]] = [[], [], []];
    for (let reading = 0; reading < readings + warmUp; reading += 1) {
      const detect = async (from: "fresh" | "cache") => {
        const { plugin } = detectEngines(await cluster.engineEvidence(from), "unknown", { now: Date.now() });
        if (plugin !== "Cilium") throw new Error(`${plugin} was detected in place of Cilium`);
      };
      anew.push(await timed(() => detect("fresh")));
      held.push(await timed(() => detect("cache")));
      list.push(await timed(() => connection.request("GET", "/apis")));
    }
    return [
      { name: "engines detected, all read anew", times: anew.slice(warmUp) },
      { name: "engines detected, by what was read a moment ago", times: held.slice(warmUp) },
      { name: "the list of APIs alone, one request", times: list.slice(warmUp) },
    ];
  } finally {
    await cluster.close();
    await uninstall();
    await apis.remove();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
