import { expect, it } from "vitest";
import { waitFor } from "../wait.ts";
import { freshName, patchTypes, type Watched } from "./kubernetes-connection.ts";
import { policyNamed, type Suite } from "./kubernetes-fixtures.ts";

/** Watching from a resourceVersion. */
export function watchContract(suite: () => Suite): void {
  const kinds = ({ events }: Watched) => events.filter(({ type }) => type !== "BOOKMARK").map(({ type }) => type);
  const seen = (watched: Watched, count: number) => waitFor(() => kinds(watched).length >= count);
  const label = (name: string, labels: object) =>
    suite().api.call(
      "PATCH",
      `${suite().policies}/${name}`,
      { metadata: { labels } },
      { "content-type": patchTypes.merge },
    );

  it("sends every change after the resourceVersion of a list, in order", async () => {
    const { api, policies } = suite();
    const name = freshName("w");
    const { body: list } = await api.call("GET", policies);
    await api.call("POST", policies, policyNamed(name));
    const watched = await api.watch(
      `${policies}?watch=true&resourceVersion=${list.metadata.resourceVersion}&fieldSelector=metadata.name%3D${name}`,
    );
    await seen(watched, 1);
    await label(name, { a: "b" });
    await api.call("DELETE", `${policies}/${name}`);
    await seen(watched, 3);
    watched.stop();
    expect(kinds(watched)).toEqual(["ADDED", "MODIFIED", "DELETED"]);
    const versions = watched.events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual(versions.toSorted((one, other) => one - other));
    expect(new Set(versions).size).toBe(3);
    expect(watched.events[0]?.object).toMatchObject({
      kind: "NetworkPolicy",
      apiVersion: "networking.k8s.io/v1",
      metadata: { name },
    });
  });

  it("begins with what exists where no resourceVersion is given", async () => {
    const { api, policies } = suite();
    const name = freshName("w");
    await api.call("POST", policies, policyNamed(name));
    const watched = await api.watch(`${policies}?watch=1&fieldSelector=metadata.name%3D${name}`);
    await seen(watched, 1);
    watched.stop();
    expect(watched.events[0]).toMatchObject({ type: "ADDED", object: { metadata: { name } } });
  });

  it("shows an object that comes to be selected as ADDED, and one that no longer is as DELETED in its last selected form", async () => {
    const { api, policies } = suite();
    const set = freshName("w");
    const { body } = await api.call("POST", policies, policyNamed(set));
    const query = `watch=1&resourceVersion=${body.metadata.resourceVersion}&labelSelector=set%3D${set}`;
    const watched = await api.watch(`${policies}?${query}`);
    await label(set, { set });
    await label(set, { set, more: "x" });
    const { body: last } = await label(set, { set: "other" });
    await seen(watched, 3);
    watched.stop();
    expect(kinds(watched)).toEqual(["ADDED", "MODIFIED", "DELETED"]);
    expect(watched.events[2]?.object.metadata.labels).toEqual({ set, more: "x" });
    expect(watched.events[2]?.object.metadata.resourceVersion).toBe(last.metadata.resourceVersion);
  });

  it("ends after timeoutSeconds, and sends a bookmark before for changes that the watch does not show", async () => {
    const { api, policies } = suite();
    const { body: list } = await api.call("GET", policies);
    const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=5&resourceVersion=${list.metadata.resourceVersion}`;
    const watched = await api.watch(`${policies}?${query}&fieldSelector=metadata.name%3Dnone`);
    const { body } = await api.call("POST", policies, policyNamed(freshName("w")));
    await waitFor(() => watched.state.ended, { timeoutMs: 10_000 });
    const last = watched.events.at(-1);
    expect(last).toMatchObject({
      type: "BOOKMARK",
      object: { kind: "NetworkPolicy", apiVersion: "networking.k8s.io/v1" },
    });
    expect(Number(last?.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(body.metadata.resourceVersion));
  });

  it("says 410 within the stream where the resourceVersion is too old", async ({ skip }) => {
    const { api, policies } = suite();
    if (api.expireHistory === undefined) return skip();
    const { body } = await api.call("POST", policies, policyNamed(freshName("w")));
    const first = await api.call("GET", `${policies}?limit=1`);
    await api.expireHistory();
    const watched = await api.watch(`${policies}?watch=1&resourceVersion=${body.metadata.resourceVersion}`);
    await waitFor(() => watched.state.ended);
    expect(watched.status).toBe(200);
    expect(watched.events).toMatchObject([{ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } }]);
    const next = await api.call(
      "GET",
      `${policies}?limit=1&continue=${encodeURIComponent(first.body.metadata.continue)}`,
    );
    expect(next).toMatchObject({ status: 410, body: { reason: "Expired" } });
  });
}
