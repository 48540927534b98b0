import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPodAddresses } from "../../src/flows/pod-addresses.ts";
import type { Pod } from "../../src/policy/objects.ts";
import { aPod, noon } from "./flow.ts";

const cluster = "kind";
const second = 1_000;

function podOf(deployment: string, over: Partial<Pod> = {}): Pod {
  const name = `${deployment}-645b68dcf7-abcde`;
  return aPod({
    name,
    uid: `uid of ${deployment}`,
    controller: { kind: "ReplicaSet", name: `${deployment}-645b68dcf7`, uid: "rs" },
    ...over,
  });
}

const withoutAddress = { podIP: undefined, podIPs: [], phase: "Pending" } as const;

function nameAt(addresses: ReturnType<typeof createPodAddresses>, address: string, atMs: number) {
  const found = addresses.at(cluster, address, atMs);
  return typeof found === "object" ? found.workload.name : found;
}

describe("An address", () => {
  test("is the pod's that had it at the time, though another has it now", () => {
    const addresses = createPodAddresses();
    const [web, db] = [podOf("web"), podOf("db", { creationTimestamp: new Date(noon + 60 * second).toISOString() })];
    addresses.saw(cluster, web, noon);
    addresses.gone(cluster, web, noon + 60 * second);
    addresses.saw(cluster, { ...db, ...withoutAddress }, noon + 61 * second);
    addresses.saw(cluster, db, noon + 62 * second);
    expect(nameAt(addresses, "10.0.0.1", noon - 3_000 * second)).toBe("web");
    expect(nameAt(addresses, "10.0.0.1", noon + 50 * second)).toBe("web");
    expect(nameAt(addresses, "10.0.0.1", noon + 61 * second)).toBe("ambiguous");
    expect(nameAt(addresses, "10.0.0.1", noon + 65 * second)).toBe("db");
    expect(nameAt(addresses, "10.0.0.1", noon - 4_000 * second)).toBeUndefined();
    expect(addresses.at("another", "10.0.0.1", noon)).toBeUndefined();
  });

  test("goes with a pod that has ended, which is still listed", () => {
    const addresses = createPodAddresses();
    addresses.saw(cluster, podOf("job"), noon);
    addresses.saw(cluster, podOf("job", { phase: "Succeeded" }), noon + 10 * second);
    expect(nameAt(addresses, "10.0.0.1", noon + 5 * second)).toBe("job");
    expect(nameAt(addresses, "10.0.0.1", noon + 20 * second)).toBeUndefined();
  });

  test("is the younger pod's where two claim it", () => {
    const addresses = createPodAddresses();
    const [old, young] = [podOf("old"), podOf("young", { creationTimestamp: new Date(noon).toISOString() })];
    addresses.saw(cluster, old, noon - 600 * second);
    addresses.saw(cluster, young, noon + second);
    addresses.saw(cluster, old, noon + 2 * second);
    expect(nameAt(addresses, "10.0.0.1", noon + 10 * second)).toBe("young");
    expect(nameAt(addresses, "10.0.0.1", noon - 100 * second)).toBe("old");
  });

  test("is found however it is written, of either family", () => {
    const addresses = createPodAddresses();
    addresses.saw(cluster, aPod({ podIPs: ["10.0.0.1", "FD00:0:0:0::A"] }), noon);
    expect(nameAt(addresses, "fd00::a", noon)).toBe("web");
  });

  test("of a pod of the host network is its node's", () => {
    const addresses = createPodAddresses();
    addresses.saw(cluster, aPod({ hostNetwork: true, podIPs: ["192.168.0.9"], hostIP: "192.168.0.9" }), noon);
    expect(addresses.at(cluster, "192.168.0.9", noon)).toBeUndefined();
    expect(addresses.isNode(cluster, "192.168.0.9")).toBe(true);
    expect(addresses.isNode("another", "192.168.0.9")).toBe(false);
  });

  test("is nobody's an hour after its pod went, and all that is held then is what is there", () => {
    const addresses = createPodAddresses();
    addresses.saw(cluster, podOf("web"), noon);
    addresses.gone(cluster, podOf("web"), noon);
    addresses.saw(cluster, podOf("db", { podIPs: ["10.0.0.2"] }), noon + 3_601 * second);
    expect(nameAt(addresses, "10.0.0.1", noon - second)).toBeUndefined();
    expect(addresses.byName(cluster, "shop", "web-645b68dcf7-abcde")).toBeUndefined();
    expect(addresses.workloadLike(cluster, "shop", "web")).toBeUndefined();
    expect(addresses.workloadLike(cluster, "shop", "db")).toEqual({ kind: "Deployment", name: "db" });
  });

  test("never is a pod's that had another one then, whatever order pods come and go in", () => {
    const step = fc.record({
      pod: fc.integer({ min: 0, max: 4 }),
      address: fc.integer({ min: 0, max: 1 }),
      gone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const addresses = createPodAddresses();
        const surely: { readonly uid: string; readonly address: string; readonly atMs: number }[] = [];
        const held = new Map<string, string>();
        let lives = 0;
        steps.forEach((one, index) => {
          const nowMs = noon + index * 60 * second;
          const address = `10.0.0.${one.address}`;
          const holder = [...held].find(([, has]) => has === address)?.[0];
          if (one.gone && holder !== undefined) {
            addresses.gone(cluster, podOf(holder, { podIPs: [address] }), nowMs);
            held.delete(holder);
          } else if (holder === undefined) {
            const name = `p${one.pod}x${(lives += 1)}`;
            const made = { creationTimestamp: new Date(nowMs).toISOString(), podIPs: [address] };
            addresses.saw(cluster, podOf(name, made), nowMs);
            held.set(name, address);
          }
          for (const [name, has] of held)
            surely.push({ uid: `uid of ${name}`, address: has, atMs: nowMs + 30 * second });
        });
        for (const { uid, address, atMs } of surely)
          expect(addresses.at(cluster, address, atMs)).toMatchObject({ uid });
      }),
    );
  });

  test("takes bounded memory while 10 000 pods are replaced again and again", () => {
    const addresses = createPodAddresses();
    const pods = 10_000;
    for (let round = 0; round < 8; round += 1)
      for (let index = 0; index < pods; index += 1) {
        const address = `10.${round}.${index >> 8}.${index & 255}`;
        const nowMs = noon + (round * pods + index) * 100;
        if (round > 0) addresses.gone(cluster, churned(round - 1, index), nowMs);
        addresses.saw(cluster, { ...churned(round, index), podIPs: [address] }, nowMs);
      }
    const endMs = noon + 8 * pods * 100;
    expect(nameAt(addresses, "10.7.0.5", endMs)).toBe("web");
    expect(nameAt(addresses, "10.0.0.5", noon + 600)).toBeUndefined();
    expect(nameAt(addresses, "10.6.0.5", endMs - 1_800 * second)).toBe("web");
  });
});

function churned(round: number, index: number): Pod {
  return aPod({ name: `web-645b68dcf7-${round}-${index}`, uid: `${round}/${index}`, podIPs: [] });
}

describe("A pod's workload", () => {
  const workloadOf = (pod: Pod) => {
    const addresses = createPodAddresses();
    addresses.saw(cluster, pod, noon);
    const found = addresses.byName(cluster, pod.namespace, pod.name);
    return `${found?.workload.kind} ${found?.workload.name}`;
  };

  test("is its Deployment, before anybody has seen its ReplicaSet", () => {
    expect(workloadOf(aPod())).toBe("Deployment web");
  });

  test("is what controls it, and a Job of a CronJob that CronJob", () => {
    const owned = (kind: string, name: string) =>
      workloadOf(aPod({ labels: {}, controller: { kind, name, uid: "x" } }));
    expect(owned("ReplicaSet", "web-645b68dcf7")).toBe("ReplicaSet web-645b68dcf7");
    expect(owned("StatefulSet", "db")).toBe("StatefulSet db");
    expect(owned("Job", "backup-29384756")).toBe("CronJob backup");
    expect(owned("Job", "migrate")).toBe("Job migrate");
    expect(workloadOf(aPod({ controller: undefined }))).toBe("Pod web-645b68dcf7-abcde");
  });

  test("is what somebody who knows better says", () => {
    const addresses = createPodAddresses({ workloadOf: () => ({ kind: "Rollout", name: "web" }) });
    addresses.saw(cluster, aPod(), noon);
    expect(addresses.workloadLike(cluster, "shop", "web-645b68dcf7-")).toEqual({ kind: "Rollout", name: "web" });
  });
});
