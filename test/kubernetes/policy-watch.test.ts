import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import type { ListedPolicies } from "../../src/kubernetes/policy-kind-watch.ts";
import { watchPolicies } from "../../src/kubernetes/policy-watch.ts";
import type { RawPolicy } from "../../src/policy/revision.ts";
import type { Sight } from "../../src/policy/sight.ts";
import { waitFor } from "../wait.ts";
import { json, listOf, startScriptedApi, status } from "./scripted-api.ts";

const policies = "/apis/networking.k8s.io/v1/networkpolicies";
const cilium = "/apis/cilium.io/v2/ciliumnetworkpolicies";

function raw(name: string, uid: string, resourceVersion: string, port = 80) {
  const managedFields = [{ manager: "kubectl", operation: "Update", fieldsV1: { "f:spec": {} } }];
  const metadata = { name, namespace: "shop", uid, resourceVersion, managedFields };
  return { metadata, spec: { podSelector: {}, ingress: [{ ports: [{ port }] }] }, status: {} };
}

type Listing = { items: object[]; resourceVersion: string; refused?: number };

/** An API of the kinds whose collections `lists` has; watch requests are kept by collection, the newest last. */
async function startApi(lists: Record<string, Listing>) {
  const turns = new Map<string, ServerResponse[]>();
  const served = (group: string) =>
    Object.keys(lists).flatMap((path) => (path.startsWith(group) ? [path.split("/").at(-1)] : []));
  const api = await startScriptedApi(({ path, url }, response) => {
    const listing = lists[path];
    if (path === "/apis") {
      const groupVersions = new Set(Object.keys(lists).map((each) => each.split("/").slice(2, 4).join("/")));
      return json(response, { groups: [...groupVersions].map((groupVersion) => ({ versions: [{ groupVersion }] })) });
    }
    if (path.split("/").length === 4) {
      const kinds = served(path).map((name) => ({ name, kind: name === "ciliumnetworkpolicies" ? "CNP" : "Other" }));
      return json(response, { resources: kinds });
    }
    if (listing === undefined) return status(response, 404, "NotFound");
    if (listing.refused !== undefined) return status(response, listing.refused, "Refused");
    if (!url.searchParams.has("watch")) return json(response, listOf(listing.items, listing.resourceVersion));
    response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    turns.set(path, [...(turns.get(path) ?? []), response]);
    return undefined;
  });
  const turn = async (path: string, n = 1): Promise<ServerResponse> => {
    await waitFor(() => turns.get(path)?.[n - 1]);
    return turns.get(path)![n - 1]!;
  };
  const send = (response: ServerResponse, type: string, object: object) =>
    void response.write(`${JSON.stringify({ type, object })}\n`);
  return { api, lists, turn, send, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

function follow(api: Awaited<ReturnType<typeof startApi>>["api"], discoverMs = 60_000) {
  const sights: Sight[] = [];
  const listed: ListedPolicies[] = [];
  const problems: string[] = [];
  const onProblem = (error: unknown, path: string) => void problems.push(`${path} ${String(error)}`);
  const watch = watchPolicies(api.connect(), { cluster: "c", now: () => 7, onProblem, discoverMs });
  const follower = {
    onSights: (more: readonly Sight[]) => void sights.push(...more),
    onListed: (one: ListedPolicies) => void listed.push(one),
  };
  watch.follow(follower);
  return { watch, follower, sights, listed, problems, [Symbol.asyncDispose]: () => watch.close() };
}

const told = (sight: Sight) =>
  [
    sight.kind,
    `${sight.object.metadata.name}@${sight.object.metadata.resourceVersion}`,
    sight.kind === "gone" ? sight.resourceVersion : sight.previous?.metadata.resourceVersion,
    sight.continuous ? "seen" : "found",
  ].join(" ");

test("The first list tells every object as found; what the watch then shows is seen, with the form before", async () => {
  await using api = await startApi({ [policies]: { items: [raw("a", "u1", "5")], resourceVersion: "10" } });
  await using followed = follow(api.api);
  const turn = await api.turn(policies);
  api.send(turn, "ADDED", raw("b", "u2", "11"));
  api.send(turn, "MODIFIED", raw("a", "u1", "12", 81));
  api.send(turn, "DELETED", raw("b", "u2", "13"));
  api.send(turn, "MODIFIED", raw("c", "u3", "14"));
  await waitFor(() => followed.sights.length === 5);
  expect(followed.sights.map(told)).toEqual([
    "there a@5  found",
    "there b@11  seen",
    "there a@12 5 seen",
    "gone b@11 13 seen",
    "there c@14  found",
  ]);
  expect(followed.sights[0]).toMatchObject({ cluster: "c", at: 7 });
  expect(followed.listed).toEqual([
    {
      cluster: "c",
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      resourceVersion: "10",
      present: new Map([["c networking.k8s.io/NetworkPolicy shop/a", "u1"]]),
      at: 7,
    },
  ]);
});

test("After 410 the list tells what is different as found, what is gone by the list's version, and nothing of the rest", async () => {
  const items = [raw("same", "u1", "5"), raw("gone", "u2", "6"), raw("new", "u3", "7"), raw("changed", "u4", "8")];
  await using api = await startApi({ [policies]: { items, resourceVersion: "10" } });
  await using followed = follow(api.api);
  const turn = await api.turn(policies);
  followed.sights.length = 0;
  api.lists[policies] = {
    items: [raw("same", "u1", "5"), raw("new", "u9", "50"), raw("changed", "u4", "55")],
    resourceVersion: "60",
  };
  api.send(turn, "ERROR", { kind: "Status", code: 410, reason: "Expired" });
  const next = await api.turn(policies, 2);
  expect(followed.sights.map(told)).toEqual([
    "gone gone@6 60 found",
    "gone new@7 60 found",
    "there new@50  found",
    "there changed@55 8 found",
  ]);
  expect(followed.listed.map(({ resourceVersion }) => resourceVersion)).toEqual(["10", "60"]);
  api.send(next, "MODIFIED", raw("changed", "u4", "61"));
  await waitFor(() => followed.sights.length === 5);
  expect(followed.sights.slice(4).map(told)).toEqual(["there changed@61 55 seen"]);
});

test("Objects are told raw, without status, and with managed fields as text", async () => {
  await using api = await startApi({ [policies]: { items: [raw("a", "u1", "5")], resourceVersion: "10" } });
  await using followed = follow(api.api);
  await waitFor(() => followed.sights.length === 1);
  const { metadata, spec } = raw("a", "u1", "5");
  const key = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", namespace: "shop", name: "a" };
  const object: RawPolicy | undefined = followed.watch.current(key);
  expect(object).toEqual({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      ...metadata,
      managedFields: [{ manager: "kubectl", operation: "Update", fieldsV1: '{"f:spec":{}}' }],
    },
    spec,
  });
  expect(followed.watch.current({ ...key, name: "b" })).toBeUndefined();
  expect(followed.watch.current({ ...key, apiVersion: "crd.antrea.io/v1beta1" })).toBeUndefined();
});

test("Who follows later is told all that is known, as a first list would tell it", async () => {
  await using api = await startApi({ [policies]: { items: [raw("a", "u1", "5")], resourceVersion: "10" } });
  await using followed = follow(api.api);
  api.send(await api.turn(policies), "ADDED", raw("b", "u2", "11"));
  await waitFor(() => followed.sights.length === 2);
  followed.sights.length = 0;
  const stop = followed.watch.follow(followed.follower);
  expect(followed.sights.map(told)).toEqual(["there a@5  found", "there b@11  found"]);
  await waitFor(() => followed.listed.length === 2);
  expect([...followed.listed[1]!.present.values()]).toEqual(["u1", "u2"]);
  stop();
});

test("A kind that is served later is found, one whose API went away stops without noise, and comes back", async () => {
  const one: Listing = { items: [raw("x", "u5", "5")], resourceVersion: "20" };
  await using api = await startApi({ [policies]: { items: [], resourceVersion: "10" } });
  await using followed = follow(api.api, 1);
  const kinds = () => followed.watch.kinds().map(({ kind }) => kind);
  await waitFor(() => followed.listed.length === 1);
  expect(kinds()).toEqual(["NetworkPolicy"]);
  api.lists[cilium] = one;
  const turn = await api.turn(cilium);
  expect(kinds()).toEqual(["NetworkPolicy", "CNP"]);
  expect(followed.sights.map(told)).toEqual(["there x@5  found"]);
  expect(followed.sights[0]?.object).toMatchObject({ apiVersion: "cilium.io/v2", kind: "CNP" });
  delete api.lists[cilium];
  turn.end();
  await waitFor(() => kinds().length === 1);
  api.lists[cilium] = one;
  await api.turn(cilium, 2);
  expect(followed.problems.filter((problem) => !problem.includes("ended as soon"))).toEqual([]);
});

test("A kind that may not be read is told once, and the others are followed", async () => {
  await using api = await startApi({
    [policies]: { items: [raw("a", "u1", "5")], resourceVersion: "10" },
    [cilium]: { items: [], resourceVersion: "10", refused: 403 },
  });
  await using followed = follow(api.api, 1);
  await waitFor(() => followed.problems.length > 0 && followed.sights.length > 0);
  const asked = () => api.api.seen.filter(({ path }) => path === "/apis/cilium.io/v2").length;
  await waitFor(() => asked() >= 2);
  expect(followed.problems).toEqual([`${cilium} KubernetesError: Refused!`]);
  expect(api.api.seen.filter(({ path }) => path === cilium)).toHaveLength(1);
  expect(followed.watch.kinds().map(({ kind, state }) => [kind, state.synced])).toEqual([
    ["NetworkPolicy", true],
    ["CNP", false],
  ]);
});

test("Discovery that fails in part stops nothing, and starts nothing that may lie elsewhere", async () => {
  const calico = "/apis/projectcalico.org/v3/networkpolicies";
  await using api = await startApi({
    [policies]: { items: [], resourceVersion: "10" },
    [cilium]: { items: [], resourceVersion: "10" },
    [calico]: { items: [], resourceVersion: "10" },
    "/apis/crd.projectcalico.org/v1/none": { items: [], resourceVersion: "10" },
  });
  let broken = true;
  await using followed = follow(
    {
      ...api.api,
      connect: () => {
        const connection = api.api.connect();
        const request: typeof connection.request = (method, path, options) =>
          broken && /^.apis.(crd.projectcalico.org.v1)$/.test(path)
            ? Promise.reject(new Error("away"))
            : connection.request(method, path, options);
        return { ...connection, request };
      },
    },
    1,
  );
  await api.turn(cilium);
  await waitFor(() => followed.problems.length > 0);
  expect(followed.watch.kinds().map(({ group }) => group)).toEqual(["networking.k8s.io", "cilium.io"]);
  expect(followed.problems).toEqual(["/apis/crd.projectcalico.org/v1 Error: away"]);
  broken = false;
  await api.turn(calico);
});

test("A follower that throws is reported, and the others are told", async () => {
  await using api = await startApi({ [policies]: { items: [], resourceVersion: "10" } });
  await using followed = follow(api.api);
  const sights: Sight[] = [];
  followed.watch.follow({
    onSights: () => {
      throw new Error("follower");
    },
  });
  followed.watch.follow({ onSights: (more) => void sights.push(...more) });
  api.send(await api.turn(policies), "ADDED", raw("a", "u1", "11"));
  await waitFor(() => sights.length === 1);
  expect(followed.problems).toEqual(["a follower of policies Error: follower"]);
});
