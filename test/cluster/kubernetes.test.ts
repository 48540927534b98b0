import { randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import net from "node:net";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, createCluster, type NamespaceFacts } from "../../src/kubernetes/cluster.ts";
import { readConfigMap } from "../../src/kubernetes/config-map.ts";
import { type Connection, createConnection } from "../../src/kubernetes/connection.ts";
import { whoIs } from "../../src/kubernetes/identity.ts";
import { createRecords } from "../../src/kubernetes/records.ts";
import { canonicalJson } from "../../src/policy/canonical.ts";
import type { ManifestReference } from "../../src/policy/manifest.ts";
import { fieldManagers } from "../../src/policy/marks.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../../src/policy/objects.ts";
import { waitFor } from "../wait.ts";

/** The raw Kubernetes room against a real control plane; every object lies in a namespace of this run. */
const namespace = `kube-room-${randomBytes(4).toString("hex")}`;
const kubeconfig = process.env["KUBECONFIG"] ?? "";
const source = { kind: "files", paths: [kubeconfig] } as const;

let connection: Connection;
let cluster: Cluster;

beforeAll(async () => {
  connection = createConnection({ source, now: Date.now });
  await connection.request("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace } } });
  cluster = await createCluster("real", connection, { now: Date.now, watch: true });
  await waitFor(() => cluster.watches().every(({ synced }) => synced));
  // A new namespace takes pods once its service account is there.
  const pod = { metadata: { name: "first" }, spec: { containers: [{ name: "main", image: "none.invalid/main" }] } };
  const tryPod = () =>
    connection.request("POST", `/api/v1/namespaces/${namespace}/pods`, { query: { dryRun: "All" }, body: pod });
  await waitFor(() => tryPod().catch(() => undefined), { timeoutMs: 30_000 });
});

afterAll(async () => {
  await connection.request("DELETE", `/api/v1/namespaces/${namespace}`);
  await cluster.close();
});

async function createObject(path: string, body: object): Promise<void> {
  await connection.request("POST", path.replace("NS", namespace), { body });
}

async function createPod(name: string, labels: object): Promise<void> {
  const spec = { containers: [{ name: "main", image: "none.invalid/main" }], terminationGracePeriodSeconds: 0 };
  await createObject("/api/v1/namespaces/NS/pods", { metadata: { name, labels }, spec });
}

const spec: NetworkPolicySpec = {
  podSelector: { matchLabels: { "bulkhead.dev/quarantine": "q-1" } },
  policyTypes: ["Ingress", "Egress"],
  ingress: [
    {
      from: [
        { podSelector: { matchLabels: { role: "forensics" } }, namespaceSelector: {} },
        { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } },
      ],
      ports: [{ protocol: "TCP", port: 443 }],
    },
  ],
};

function policyNamed(name: string, more: object = {}): NetworkPolicy {
  const metadata = {
    name,
    namespace,
    labels: { "bulkhead.dev/operation": name },
    annotations: { "bulkhead.dev/reason": "é" },
  };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec, ...more };
}

describe("policies", () => {
  test("A created policy is stored with every peer it names, under our field manager", async () => {
    const answer = await cluster.createObject(policyNamed("from-kept"));
    expect(answer.kind).toBe("created");
    expect((await cluster.getObject(reference("from-kept")))?.spec).toEqual(spec);
    const raw = await connection.request(
      "GET",
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/from-kept`,
    );
    expect(raw).toMatchObject({ spec, metadata: { managedFields: [{ manager: fieldManagers.objects }] } });
  });

  test("A second create changes nothing and returns what is there", async () => {
    const { object } = await cluster.createObject(policyNamed("once"));
    const second = await cluster.createObject(policyNamed("once", { spec: { podSelector: {} } }));
    expect(second).toEqual({ kind: "exists", object });
  });

  test("The server's refusals of a policy are errors that say why", async () => {
    const bad = policyNamed("bad", {
      spec: { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: "10.0.0.1/33" } }] }] },
    });
    await expect(cluster.createObject(bad)).rejects.toMatchObject({ kind: "refused-by-server", code: 422 });
    const elsewhere = { ...bad, metadata: { name: "x", namespace: "no-such-namespace" }, spec: { podSelector: {} } };
    await expect(cluster.createObject(elsewhere)).rejects.toMatchObject({ kind: "not-found" });
  });

  test("Policies are found by label in all namespaces", async () => {
    await cluster.createObject(policyNamed("listed"));
    const found = await cluster.listPolicies("bulkhead.dev/operation=listed");
    expect(found.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([`${namespace}/listed`]);
    expect(found[0]).toMatchObject({ kind: "NetworkPolicy", spec });
  });

  test("A deletion needs uid and resourceVersion of now", async () => {
    const { object } = await cluster.createObject(policyNamed("guarded"));
    const version = { uid: object.metadata.uid!, resourceVersion: object.metadata.resourceVersion! };
    expect(await cluster.deleteObject(reference("guarded"), { ...version, uid: "other" })).toEqual({
      kind: "conflict",
    });
    const old = { ...version, resourceVersion: "1" };
    expect(await cluster.deleteObject(reference("guarded"), old)).toEqual({ kind: "conflict" });
    expect(await cluster.deleteObject(reference("guarded"), version)).toEqual({ kind: "deleted" });
    expect(await cluster.deleteObject(reference("guarded"), version)).toEqual({ kind: "gone" });
    expect(await cluster.getObject(reference("guarded"))).toBeUndefined();
  });
});

describe("pods", () => {
  test("A label patch whose tests hold is applied under the field manager for labels", async () => {
    await createPod("patched", { app: "web", tier: "front" });
    const pod = await cluster.getPod(namespace, "patched");
    const answer = await cluster.patchPod(namespace, "patched", [
      { op: "test", path: "/metadata/uid", value: pod?.uid },
      { op: "test", path: "/metadata/labels", value: { app: "web", tier: "front" } },
      { op: "add", path: "/metadata/labels/bulkhead.dev~1quarantine", value: "q-1" },
      { op: "remove", path: "/metadata/labels/tier" },
    ]);
    const labels = { app: "web", "bulkhead.dev/quarantine": "q-1" };
    expect(answer).toMatchObject({ kind: "patched", pod: { labels, uid: pod?.uid } });
    const raw = (await connection.request("GET", `/api/v1/namespaces/${namespace}/pods/patched`)) as {
      metadata: { managedFields: { manager: string }[] };
    };
    expect(raw.metadata.managedFields.map(({ manager }) => manager)).toContain(fieldManagers.labels);
    expect((await cluster.listPods(namespace, "bulkhead.dev/quarantine=q-1")).map(({ name }) => name)).toEqual([
      "patched",
    ]);
  });

  test("A failed test and a missing path are conflicts, an invalid label is an error, no pod is gone", async () => {
    await createPod("refused", { app: "web" });
    const patch = (value: string, path = "/metadata/labels/app") =>
      cluster.patchPod(namespace, "refused", [{ op: "test", path, value }]);
    expect(await patch("other")).toEqual({ kind: "conflict" });
    expect(await patch("other", "/metadata/uid")).toEqual({ kind: "conflict" });
    const removal = [{ op: "remove", path: "/metadata/labels/none" }] as const;
    expect(await cluster.patchPod(namespace, "refused", removal)).toEqual({ kind: "conflict" });
    const invalid = [{ op: "add", path: "/metadata/labels/app", value: "not a label" }] as const;
    await expect(cluster.patchPod(namespace, "refused", invalid)).rejects.toMatchObject({ code: 422 });
    expect(await cluster.patchPod(namespace, "no-such-pod", removal)).toEqual({ kind: "gone" });
    expect((await cluster.getPod(namespace, "refused"))?.labels).toEqual({ app: "web" });
  });

  test("A pod is deleted by its uid only", async () => {
    await createPod("deleted", {});
    const pod = await cluster.getPod(namespace, "deleted");
    expect(await cluster.deletePod(namespace, "deleted", "other")).toEqual({ kind: "conflict" });
    expect(await cluster.deletePod(namespace, "deleted", pod!.uid)).toEqual({ kind: "deleted" });
    await waitFor(async () => (await cluster.getPod(namespace, "deleted")) === undefined, { timeoutMs: 30_000 });
    expect(await cluster.deletePod(namespace, "deleted", pod!.uid)).toEqual({ kind: "gone" });
  });
});

describe("facts", () => {
  test("Cache and direct lists agree on a namespace with workloads, Services and policies", async () => {
    const selector = { matchLabels: { app: "shop" } };
    const template = {
      metadata: { labels: { app: "shop" } },
      spec: {
        containers: [{ name: "main", image: "none.invalid/main", ports: [{ name: "web", containerPort: 8080 }] }],
        terminationGracePeriodSeconds: 0,
      },
    };
    await createObject("/apis/apps/v1/namespaces/NS/deployments", {
      metadata: { name: "shop" },
      spec: { replicas: 2, selector, template },
    });
    await createObject("/api/v1/namespaces/NS/services", {
      metadata: { name: "shop" },
      spec: { selector: { app: "shop" }, ports: [{ port: 80, targetPort: "web" }] },
    });
    await createObject("/api/v1/namespaces/NS/services", {
      metadata: { name: "bare" },
      spec: { ports: [{ port: 80 }] },
    });
    await cluster.createObject(policyNamed("facts"));
    const ready = async () =>
      (await cluster.facts(namespace, "fresh")).pods.filter(({ labels, ready: is }) => labels["app"] === "shop" && is)
        .length;
    await waitFor(async () => (await ready()) === 2, { timeoutMs: 60_000 });
    const fresh = await cluster.facts(namespace, "fresh");
    const owner = fresh.pods.find(({ labels }) => labels["app"] === "shop")?.controller;
    expect(owner?.kind).toBe("ReplicaSet");
    expect(fresh.workloads.map(({ kind, replicas }) => `${kind} ${replicas}`)).toEqual([
      "Deployment 2",
      "ReplicaSet 2",
    ]);
    expect(fresh.workloads[1]).toMatchObject({ uid: owner?.uid, controller: { kind: "Deployment", name: "shop" } });
    const clusterIPs = [expect.stringMatching(/^[\d.]+$/)];
    const port = { name: undefined, protocol: "TCP", port: 80 };
    expect(fresh.services).toContainEqual({
      name: "bare",
      namespace,
      selector: {},
      ports: [{ ...port, targetPort: 80 }],
      clusterIPs,
    });
    expect(fresh.services).toContainEqual({
      name: "shop",
      namespace,
      selector: { app: "shop" },
      ports: [{ ...port, targetPort: "web" }],
      clusterIPs,
    });
    const [pod] = fresh.pods.filter(({ labels }) => labels["app"] === "shop");
    expect(pod).toMatchObject({
      ports: [{ name: "web", protocol: "TCP", port: 8080 }],
      podIPs: [pod?.podIP],
      hostIP: expect.stringMatching(/^[\d.]+$/),
      serviceAccount: "default",
    });
    await waitFor(async () => {
      const cached = await cluster.facts(namespace, "cache");
      return sorted(cached) === sorted(await cluster.facts(namespace, "fresh"));
    });
    expect((await cluster.facts(namespace, "cache")).ageMs).toBeLessThan(30_000);
  });

  test("The cache sees a new policy within a moment, and a pod's changes reach who asked for them", async () => {
    const changes: string[] = [];
    const stop = cluster.onPodChange(({ kind, value }) => {
      if (value.name === "followed") changes.push(kind);
    });
    await createPod("followed", {});
    await waitFor(() => changes.includes("added"));
    const lags: number[] = [];
    for (let round = 0; round < 20; round++) {
      const { object } = await cluster.createObject(policyNamed(`lag-${round}`));
      const begun = performance.now();
      const seen = async () =>
        (await cluster.facts(namespace, "cache")).policies.some(({ metadata }) => metadata.uid === object.metadata.uid);
      await waitFor(seen, { everyMs: 1 });
      lags.push(performance.now() - begun);
    }
    lags.sort((a, b) => a - b);
    expect(lags[10]).toBeLessThan(500);
    stop();
  });

  test("Namespaces carry their names and labels", async () => {
    await waitFor(async () => (await cluster.namespaces()).some(({ name }) => name === namespace));
    expect((await cluster.namespaces()).find(({ name }) => name === "default")).toMatchObject({ terminating: false });
  });
});

function sorted({ pods, services, workloads, policies }: NamespaceFacts): string {
  return canonicalJson([pods, services, workloads, policies].map((list) => list.map(canonicalJson).toSorted()));
}

describe("rights", () => {
  test("An administrator may, and a user without rights may not", async () => {
    const resource = { group: "networking.k8s.io", plural: "networkpolicies" };
    expect((await cluster.mayI("create", resource, namespace)).allowed).toBe(true);
    const stranger = createConnection({ source: await asUser("stranger"), now: Date.now });
    const other = await createCluster("real", stranger, { now: Date.now, watch: false });
    expect((await other.mayI("create", resource, namespace)).allowed).toBe(false);
    await expect(other.facts(namespace, "fresh")).rejects.toMatchObject({ kind: "forbidden" });
    await expect(other.createObject(policyNamed("theirs"))).rejects.toMatchObject({
      kind: "forbidden",
      message: expect.stringContaining('User "stranger" cannot create resource "networkpolicies"') as string,
    });
    await other.close();
  });

  test("Credentials that the server does not know are refused as such", async () => {
    const { server } = await connection.credentials();
    const cluster = { server, "insecure-skip-tls-verify": true };
    const unknown = createConnection({ source: kubeconfigOf(cluster, { token: "no-such-token" }), now: Date.now });
    await expect(whoIs(unknown)).rejects.toMatchObject({ kind: "unauthorized" });
    await unknown.close();
  });

  test("Who it is comes from the server where it can say, else from configuration", async () => {
    const { source: from, user } = await whoIs(connection, "jane");
    expect(from === "self-subject-review" || (from === "configured" && user === "jane")).toBe(true);
  });
});

/** The administrator's kubeconfig, impersonating. */
async function asUser(name: string) {
  const { server, headers, tls } = await connection.credentials();
  const user = {
    as: name,
    token: headers["authorization"]?.replace("Bearer ", ""),
    ...(tls.cert === undefined
      ? {}
      : { "client-certificate-data": btoa(tls.cert), "client-key-data": btoa(tls.key ?? "") }),
  };
  const ca =
    tls.ca === undefined ? { "insecure-skip-tls-verify": true } : { "certificate-authority-data": btoa(tls.ca) };
  return kubeconfigOf({ server, ...ca }, user);
}

function kubeconfigOf(cluster: object, user: object) {
  const text = JSON.stringify({
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });
  return { kind: "text", text } as const;
}

describe("certificates", () => {
  test("A server whose certificate nobody vouches for is not talked to; its own authority makes it trusted", async ({
    skip,
  }) => {
    const { server, headers } = await connection.credentials();
    skip(!server.startsWith("https:"), "this server has no certificate");
    const ask = async (trust: object) => {
      const user = { token: headers["authorization"]?.replace("Bearer ", "") };
      const one = createConnection({ source: kubeconfigOf({ server, ...trust }, user), now: Date.now, timeoutMs: 500 });
      try {
        return await one.request("GET", "/version");
      } finally {
        await one.close();
      }
    };
    await expect(ask({})).rejects.toMatchObject({
      kind: "unreachable",
      mayHaveTakenEffect: false,
      message: expect.stringContaining("its certificate is not accepted") as string,
    });
    const authority = await authorityOf(new URL(server));
    expect(await ask({ "certificate-authority-data": btoa(authority) })).toHaveProperty("gitVersion");
  });
});

test("The proxy of a kubeconfig is used", async ({ skip }) => {
  const { server, headers } = await connection.credentials();
  skip(!server.startsWith("https:"), "only https goes through a tunnel");
  const asked: string[] = [];
  const proxy = createServer().on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const [host = "", port] = (request.url ?? "").split(":");
    const upstream = net.connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const proxyUrl = `http://127.0.0.1:${(proxy.address() as net.AddressInfo).port}`;
  const cluster = { server, "insecure-skip-tls-verify": true, "proxy-url": proxyUrl };
  const user = { token: headers["authorization"]?.replace("Bearer ", "") };
  const proxied = createConnection({ source: kubeconfigOf(cluster, user), now: Date.now });
  expect(await proxied.request("GET", "/version")).toHaveProperty("gitVersion");
  expect(asked).toEqual([new URL(server).host]);
  await proxied.close();
  await new Promise((resolve) => proxy.close(resolve));
});

/** PEM of the last certificate of the chain that the server shows. */
async function authorityOf({ hostname, port }: URL): Promise<string> {
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  let last = socket.getPeerCertificate(true);
  while (last.issuerCertificate && last.issuerCertificate !== last) last = last.issuerCertificate;
  socket.destroy();
  return new X509Certificate(last.raw).toString();
}

describe("records", () => {
  test("A record is created once, read, listed, replaced on condition, and removed", async () => {
    const records = createRecords(connection, namespace);
    expect(await records.create("bulkhead-q-1", '{"a":1}')).toBe("created");
    expect(await records.create("bulkhead-q-1", '{"a":1}')).toBe("exists");
    await createObject("/api/v1/namespaces/NS/configmaps", { metadata: { name: "unrelated" }, data: { record: "x" } });
    const record = (await records.get("bulkhead-q-1"))!;
    expect(record.text).toBe('{"a":1}');
    expect(await records.list()).toEqual([record]);
    expect(await records.replace(record, '{"a":2}')).toBe("replaced");
    expect(await records.replace(record, '{"a":3}')).toBe("conflict");
    expect(await records.remove(record)).toBe("conflict");
    const newest = (await records.get("bulkhead-q-1"))!;
    expect(newest.text).toBe('{"a":2}');
    expect(await records.remove(newest)).toBe("deleted");
    expect(await records.remove(newest)).toBe("gone");
    expect(await records.get("bulkhead-q-1")).toBeUndefined();
    expect(await records.list()).toEqual([]);
  });

  test("A ConfigMap's data is read as it is", async () => {
    await createObject("/api/v1/namespaces/NS/configmaps", {
      metadata: { name: "config" },
      data: { "config.yaml": "a: 1\n" },
    });
    expect(await readConfigMap(connection, namespace, "config")).toEqual({ "config.yaml": "a: 1\n" });
    expect(await readConfigMap(connection, namespace, "absent")).toBeUndefined();
  });
});

test("The API server's clock is known, within its resolution of a second and the way there", async () => {
  await connection.request("GET", "/version");
  const { earliestMs, latestMs } = connection.serverTime()!;
  expect(latestMs - earliestMs).toBeLessThan(1_500);
  expect(Math.abs(earliestMs - Date.now())).toBeLessThan(5_000);
});

function reference(name: string): ManifestReference {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { namespace, name } };
}
