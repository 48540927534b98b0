import { expect, test } from "vitest";
import type { NamespaceFacts } from "../src/kubernetes/cluster.ts";
import type { WatchState } from "../src/kubernetes/watch-progress.ts";
import type { Service } from "../src/policy/objects.ts";
import { createServiceBook } from "../src/service-book.ts";

const cart: Service = {
  name: "cart",
  namespace: "shop",
  selector: {},
  clusterIPs: ["10.96.0.7", "fd00::7"],
  ports: [
    { name: undefined, protocol: "TCP", port: 80, targetPort: 8081 },
    { name: undefined, protocol: "TCP", port: 81, targetPort: "metrics" },
  ],
};

function cluster(synced: boolean, services: readonly Service[]) {
  const facts: NamespaceFacts = { ageMs: 0, pods: [], workloads: [], policies: [], services };
  return { name: "eu", watches: () => [{ synced } as WatchState], facts: async () => facts };
}

test("A Service is known by each of its addresses, its ports and those they lead to, in its own cluster", async () => {
  const book = createServiceBook();
  await book.refresh(cluster(true, [cart]));
  expect([book.at("eu", "fd00::7"), book.at("eu", "10.96.0.8"), book.at("us", "10.96.0.7")]).toEqual([
    { namespace: "shop", name: "cart" },
    undefined,
    undefined,
  ]);
  expect([80, 81, 8081, 9].map((port) => book.hasPort("eu", port))).toEqual([true, true, true, false]);
  await book.refresh(cluster(false, []));
  expect(book.hasPort("eu", 80)).toBe(true);
});
