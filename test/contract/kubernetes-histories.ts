import { expect, it } from "vitest";
import { waitFor } from "../wait.ts";
import { freshName, patchTypes } from "./kubernetes-connection.ts";
import { policyNamed, type Suite } from "./kubernetes-fixtures.ts";

type Entry = { readonly manager: string; readonly operation: string; readonly time: string; readonly fieldsV1: Fields };
type Fields = { readonly "f:spec"?: Record<string, object>; readonly "f:metadata"?: Record<string, object> };

const spec = (port: number) => ({ podSelector: {}, policyTypes: ["Ingress"], ingress: [{ ports: [{ port }] }] });

/** What a history of policies rests on: managed fields, and what a watch tells of a deletion. */
export function historyContract(suite: () => Suite): void {
  const rules = (entries: readonly Entry[]) =>
    entries.filter(({ fieldsV1 }) => fieldsV1["f:spec"]?.["f:ingress"] !== undefined).map(({ manager }) => manager);

  it("keeps for each field who wrote it last, with operation and time, whatever way it was written", async () => {
    const { api, policies } = suite();
    const name = freshName("p");
    const at = `${policies}/${name}`;
    const entries = async (method: string, path: string, body: object, type?: string): Promise<readonly Entry[]> => {
      const { body: stored } = await api.call(method, path, body, type ? { "content-type": type } : {});
      return stored.metadata.managedFields;
    };
    const [made, ...more] = await entries(
      "POST",
      `${policies}?fieldManager=maker`,
      policyNamed(name, { spec: spec(80) }),
    );
    expect(more).toEqual([]);
    expect(made).toMatchObject({ manager: "maker", operation: "Update" });
    expect(made?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const merged = await entries(
      "PATCH",
      `${at}?fieldManager=patcher`,
      { spec: { ingress: spec(81).ingress } },
      patchTypes.merge,
    );
    expect(merged.map(({ manager }) => manager).toSorted()).toEqual(["maker", "patcher"]);
    expect(rules(merged)).toEqual(["patcher"]);
    const { body: read } = await api.call("GET", at);
    const put = await entries("PUT", `${at}?fieldManager=replacer`, { ...read, spec: spec(82) });
    expect(rules(put)).toEqual(["replacer"]);
    const whole = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec: spec(83) };
    const applied = await entries("PATCH", `${at}?fieldManager=applier&force=true`, whole, patchTypes.apply);
    expect(rules(applied)).toEqual(["applier"]);
    expect(applied).toContainEqual(expect.objectContaining({ manager: "applier", operation: "Apply" }));
    const labelled = await entries(
      "PATCH",
      `${at}?fieldManager=labeller`,
      { metadata: { labels: { a: "b" } } },
      patchTypes.merge,
    );
    expect(rules(labelled)).toEqual(["applier"]);
  });

  it("keeps managed fields where a PUT leaves them out", async () => {
    const { api, policies } = suite();
    const name = freshName("p");
    const { body: made } = await api.call(
      "POST",
      `${policies}?fieldManager=maker`,
      policyNamed(name, { spec: spec(80) }),
    );
    const { managedFields: _, ...metadata } = made.metadata;
    const { body: put } = await api.call("PUT", `${policies}/${name}?fieldManager=replacer`, {
      ...made,
      metadata,
      spec: spec(81),
    });
    const managers = put.metadata.managedFields.map(({ manager }: Entry) => manager);
    expect(managers.toSorted()).toEqual(["maker", "replacer"]);
  });

  it("tells of a deletion in a watch with the last form, at a version of its own, and of what is made again with another uid", async () => {
    const { api, policies } = suite();
    const name = freshName("p");
    const { body: list } = await api.call("GET", policies);
    const watched = await api.watch(`${policies}?watch=true&resourceVersion=${list.metadata.resourceVersion}`);
    try {
      const { body: made } = await api.call("POST", policies, policyNamed(name, { spec: spec(80) }));
      await api.call("DELETE", `${policies}/${name}`);
      await api.call("POST", policies, policyNamed(name, { spec: spec(81) }));
      const own = () => watched.events.filter(({ object }) => object.metadata.name === name);
      await waitFor(() => own().length === 3);
      const [added, deleted, again] = own();
      expect([added?.type, deleted?.type, again?.type]).toEqual(["ADDED", "DELETED", "ADDED"]);
      expect(deleted?.object.spec).toEqual(made.spec);
      const versions = own().map(({ object }) => Number(object.metadata.resourceVersion));
      expect(versions).toEqual(versions.toSorted((one, other) => one - other));
      expect(new Set(versions).size).toBe(3);
      expect(again?.object.metadata.uid).not.toBe(made.metadata.uid);
    } finally {
      watched.stop();
    }
  });
}
