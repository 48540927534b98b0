import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { json, listOf, type ScriptedApi, type Seen, startScriptedApi, status } from "./scripted-api.ts";

type Answer = (response: ServerResponse) => void;

const object = (name: string, namespace?: string) => ({
  metadata: { name, namespace, managedFields: [{}] },
  spec: { x: 1 },
});
const list =
  (...items: object[]): Answer =>
  (response) =>
    json(response, listOf(items, "1"));

function groups(...groupVersions: string[]): Answer {
  const all = groupVersions.map((groupVersion) => ({ name: groupVersion.split("/")[0], versions: [{ groupVersion }] }));
  return (response) => json(response, { kind: "APIGroupList", groups: all });
}

function kinds(...names: (readonly [plural: string, kind: string])[]): Answer {
  const resources = names.flatMap(([name, kind]) => [
    { name, kind },
    { name: `${name}/status`, kind },
  ]);
  return (response) => json(response, { kind: "APIResourceList", resources });
}

/** Serves these paths, and 404 elsewhere. */
function serving(paths: Readonly<Record<string, Answer>>) {
  return ({ path }: Seen, response: ServerResponse): void => {
    const answer = paths[path];
    if (answer === undefined) status(response, 404, "NotFound");
    else answer(response);
  };
}

async function read(api: ScriptedApi) {
  const cluster = await createCluster("c", api.connect({ timeoutMs: 300 }), { now: Date.now, watch: false });
  return cluster.policyObjects();
}

const cilium = kinds(["ciliumnetworkpolicies", "CiliumNetworkPolicy"], ["ciliumendpoints", "CiliumEndpoint"]);

test("Policies of the served APIs are read by group, version and resource, and others of the group are not", async () => {
  await using api = await startScriptedApi(
    serving({
      "/apis": groups("apps/v1", "policy.networking.k8s.io/v1alpha1", "cilium.io/v2"),
      "/apis/policy.networking.k8s.io/v1alpha1": kinds(["adminnetworkpolicies", "AdminNetworkPolicy"]),
      "/apis/cilium.io/v2": cilium,
      "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies": list(object("deny")),
      "/apis/cilium.io/v2/ciliumnetworkpolicies": list(object("web", "shop"), object("db", "shop")),
    }),
  );
  expect(await read(api)).toEqual({
    objects: [
      {
        apiVersion: "policy.networking.k8s.io/v1alpha1",
        kind: "AdminNetworkPolicy",
        metadata: { name: "deny" },
        spec: { x: 1 },
      },
      ...["web", "db"].map((name) => ({
        apiVersion: "cilium.io/v2",
        kind: "CiliumNetworkPolicy",
        metadata: { name, namespace: "shop" },
        spec: { x: 1 },
      })),
    ],
    unread: [],
  });
});

test("A version that is not known is read where no known one has the kind, and only there", async () => {
  const policies = ["clusternetworkpolicies", "ClusterNetworkPolicy"] as const;
  const older = "/apis/crd.antrea.io/v1alpha1";
  const paths = {
    "/apis": groups("crd.antrea.io/v1alpha1", "crd.antrea.io/v1beta1"),
    [older]: kinds(policies, ["externalnodes", "ExternalNode"]),
    [`${older}/clusternetworkpolicies`]: list(object("old")),
    "/apis/crd.antrea.io/v1beta1/clusternetworkpolicies": list(object("new")),
  };
  const versions = async (known: Answer) => {
    await using api = await startScriptedApi(serving({ ...paths, "/apis/crd.antrea.io/v1beta1": known }));
    const { objects, unread } = await read(api);
    expect(unread).toEqual([]);
    return objects.map(({ apiVersion, metadata }) => `${apiVersion} ${metadata.name}`);
  };
  expect(await versions(kinds(["antreaagentinfos", "AntreaAgentInfo"]))).toEqual(["crd.antrea.io/v1alpha1 old"]);
  expect(await versions(kinds(policies))).toEqual(["crd.antrea.io/v1beta1 new"]);
});

test("Where none of the APIs is served there is nothing, and nothing is missing", async () => {
  await using api = await startScriptedApi(serving({ "/apis": groups("apps/v1") }));
  expect(await read(api)).toEqual({ objects: [], unread: [] });
  expect(api.seen.map(({ path }) => path)).toEqual(["/apis"]);
});

test("What is served and forbidden, broken or silent is named with the reason, and the rest is read", async () => {
  await using api = await startScriptedApi(
    serving({
      "/apis": groups("crd.antrea.io/v1beta1", "cilium.io/v2", "projectcalico.org/v3"),
      "/apis/crd.antrea.io/v1beta1": kinds(
        ["tiers", "Tier"],
        ["groups", "Group"],
        ["networkpolicies", "NetworkPolicy"],
      ),
      "/apis/cilium.io/v2": cilium,
      "/apis/projectcalico.org/v3": (response) => status(response, 503, "ServiceUnavailable"),
      "/apis/crd.antrea.io/v1beta1/tiers": list(object("top")),
      "/apis/crd.antrea.io/v1beta1/groups": () => undefined,
      "/apis/crd.antrea.io/v1beta1/networkpolicies": (response) => response.destroy(),
      "/apis/cilium.io/v2/ciliumnetworkpolicies": (response) => status(response, 403, "Forbidden"),
    }),
  );
  const { objects, unread } = await read(api);
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(["Tier top"]);
  expect(unread.map(({ what }) => what).toSorted()).toEqual([
    "ciliumnetworkpolicies.cilium.io",
    "groups.crd.antrea.io",
    "networkpolicies.crd.antrea.io",
    "the APIs of projectcalico.org/v3",
  ]);
  expect(unread.find(({ what }) => what.startsWith("cilium"))?.why).toContain("Forbidden!");
  expect(unread.find(({ what }) => what.startsWith("groups"))?.why).toContain("in time");
});

test("Where the server does not say what it serves, that is what is missing", async () => {
  await using api = await startScriptedApi((_seen, response) => status(response, 403, "Forbidden"));
  expect(await read(api)).toEqual({
    objects: [],
    unread: [{ what: "the list of the APIs that the cluster serves", why: "Forbidden!" }],
  });
});

test("Calico is read where it stores; its own API, which leaves out and adds, only where that is not served", async () => {
  const tiers = kinds(["globalnetworkpolicies", "GlobalNetworkPolicy"]);
  const paths = {
    "/apis/crd.projectcalico.org/v1": tiers,
    "/apis/projectcalico.org/v3": tiers,
    "/apis/crd.projectcalico.org/v1/globalnetworkpolicies": list(object("stored")),
    "/apis/projectcalico.org/v3/globalnetworkpolicies": list(object("shown")),
  };
  const versions = ["crd.projectcalico.org/v1", "projectcalico.org/v3"];
  await using both = await startScriptedApi(serving({ ...paths, "/apis": groups(...versions) }));
  expect((await read(both)).objects.map(({ metadata }) => metadata.name)).toEqual(["stored"]);
  await using native = await startScriptedApi(serving({ ...paths, "/apis": groups("projectcalico.org/v3") }));
  expect((await read(native)).objects.map(({ metadata }) => metadata.name)).toEqual(["shown"]);
});
