import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canonicalJson } from "../../src/policy/canonical.ts";
import { waitFor } from "../wait.ts";
import { wordsOf } from "./bot-desk.ts";
import { kubectl } from "./kubectl.ts";
import { createRollbackDesk, type RollbackDesk } from "./rollback-desk.ts";

/** What is done with kubectl on a real control plane is undone by /np rollback: the object is as before, to the byte. */
const namespace = `rollback-${randomBytes(4).toString("hex")}`;
const slowly = { timeoutMs: 20_000, everyMs: 50 };

let desk: RollbackDesk;

beforeAll(async () => {
  await kubectl(["create", "namespace", namespace]);
  desk = await createRollbackDesk([namespace]);
});

afterAll(async () => {
  await desk?.close();
  await kubectl(["delete", "namespace", namespace, "--wait=false"]);
});

type Labels = Readonly<Record<string, string>>;

function policy(name: string, port: number, labels: Labels = { team: "net" }): string {
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace, labels },
    spec: {
      podSelector: { matchLabels: { app: name } },
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ podSelector: {} }], ports: [{ protocol: "TCP", port }] }],
    },
  });
}

const placeOf = (name: string) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace, name },
});
const stored = (name: string) => desk.stored(placeOf(name));
const image = (name: string) => desk.image(placeOf(name));
const newest = (name: string) => desk.newest(placeOf(name));
const recorded = (name: string, act: () => Promise<unknown>) => desk.recorded(placeOf(name), act);
const rollBack = (what: string) => desk.rollBack(what);

const create = (name: string, port = 80) => kubectl(["create", "-f", "-"], { input: policy(name, port) });
const apply = (name: string, port: number) => kubectl(["apply", "-f", "-"], { input: policy(name, port) });
const at = (name: string) => ["networkpolicy", name, "-n", namespace];
const specPatch = (port: number) => JSON.stringify({ spec: { ingress: [{ ports: [{ protocol: "TCP", port }] }] } });

/** How a change is made of a policy that `create` or `apply` made. */
const changes: Readonly<
  Record<string, { readonly first?: typeof create; readonly act: (name: string) => Promise<unknown> }>
> = {
  "server-side apply": {
    act: (name) =>
      kubectl(["apply", "--server-side", "--force-conflicts", "--field-manager=gitops", "-f", "-"], {
        input: policy(name, 81, { team: "net", by: "gitops" }),
      }),
  },
  "a merge patch": { act: (name) => kubectl(["patch", ...at(name), "--type=merge", "-p", specPatch(82)]) },
  "a JSON patch": {
    act: (name) => kubectl(["patch", ...at(name), "--type=json", "-p", '[{"op":"remove","path":"/spec/ingress"}]']),
  },
  "a replace": { act: (name) => kubectl(["replace", "-f", "-"], { input: policy(name, 83, {}) }) },
  "kubectl apply, with its copy": { first: (name) => apply(name, 80), act: (name) => apply(name, 84) },
  "kubectl edit": {
    act: (name) => kubectl(["edit", ...at(name)], { editor: "sed -i /port:/s/80/8080/" }),
  },
  "an edit with new labels": {
    act: async (name) => {
      await kubectl(["label", ...at(name), "--overwrite", "team=other", "late=yes"]);
      await kubectl(["patch", ...at(name), "--type=merge", "-p", specPatch(85)]);
    },
  },
  "a deletion": { act: (name) => kubectl(["delete", ...at(name)]) },
};

for (const [kind, { first = create, act }] of Object.entries(changes)) {
  test(`${kind} is rolled back to what was right before, to the byte, and forth again`, async () => {
    const name = `p-${randomBytes(3).toString("hex")}`;
    await recorded(name, () => first(name));
    const change = await recorded(name, () => act(name));
    const after = await image(name);
    const undo = await rollBack(`${namespace}/${name}`);
    expect(canonicalJson(await image(name))).toBe(canonicalJson(change.before));
    expect((await stored(name))?.metadata.annotations?.["bulkhead.dev/undo"]).toBe(undo);
    await waitFor(
      async () => (await newest(name))?.authors.some((one) => one.kind === "operation" && one.operation === undo),
      slowly,
    );
    await rollBack(undo);
    expect(canonicalJson((await image(name)) ?? {})).toBe(canonicalJson(after ?? {}));
  });
}

test("A creation is rolled back by a deletion, and that by making it again", async () => {
  const change = await recorded("made", () => create("made"));
  const undo = await rollBack(change.id);
  expect(await stored("made")).toBeUndefined();
  await waitFor(async () => (await newest("made"))?.authors.some((one) => one.kind === "operation"), slowly);
  await rollBack(undo);
  expect(canonicalJson(await image("made"))).toBe(canonicalJson(change.after));
});

test("One that was deleted and made again goes back to what it was before both", async () => {
  const made = await recorded("again", () => create("again"));
  const deleted = await recorded("again", () => kubectl(["delete", ...at("again")]));
  await recorded("again", () => create("again", 90));
  const plan = await desk.type(`rollback ${deleted.id}`);
  expect(wordsOf(plan)).toContain("Since then");
  await rollBack(`${deleted.id} --later-too`);
  expect(canonicalJson(await image("again"))).toBe(canonicalJson(made.after));
});

test("What the server would refuse is refused before anything is written", async () => {
  const gone = await recorded("refused", async () => {
    await create("refused");
    await waitFor(() => newest("refused"), slowly);
    await kubectl(["delete", ...at("refused")]);
    await waitFor(async () => (await newest("refused"))?.change === "deleted", slowly);
  });
  expect(gone.change).toBe("deleted");
  await kubectl(["create", "quota", "none", "-n", namespace, "--hard=count/networkpolicies.networking.k8s.io=0"]);
  // The server looks at quotas by a watch of its own, a moment later.
  const reply = await waitFor(async () => {
    const answer = await desk.type(`rollback ${gone.id} --dry-run`);
    return answer.outcome === "refused" ? answer : undefined;
  }, slowly);
  if (reply === undefined) throw new Error("nothing was refused");
  expect(wordsOf(reply)).toContain("The API server would refuse to create NetworkPolicy");
  await kubectl(["delete", "quota", "none", "-n", namespace]);
});
