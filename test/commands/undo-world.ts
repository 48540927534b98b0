import type { Reply } from "../../src/commands/reply.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { watchPolicies } from "../../src/kubernetes/policy-watch.ts";
import { imageOf, type Revision } from "../../src/policy/revision.ts";
import type { Sight } from "../../src/policy/sight.ts";
import { waitFor } from "../wait.ts";
import { startDesk, type TestDesk } from "./desk.ts";

type Spec = Record<string, unknown>;

export const open = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] };
export const narrow = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: {} }] }] };
export const shut = { podSelector: {}, policyTypes: ["Ingress"] };

const checkout = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "checkout-1", labels: { app: "checkout" } },
  spec: { containers: [{ name: "main", image: "checkout" }] },
  status: { phase: "Running", podIP: "10.0.0.7" },
};

/** A desk whose history records what becomes of policies in the sandbox, as main.ts has it. */
export async function startUndoDesk(options: Parameters<typeof startDesk>[0] = {}) {
  const desk = await startDesk({ ...options, cluster: { controllers: false, ...options.cluster } });
  const namespaces = ["payments", "shop", "bulkhead"].map((name) => ({ metadata: { name } }));
  desk.sandbox.apply(...namespaces.map((each) => ({ apiVersion: "v1", kind: "Namespace", ...each })));
  desk.sandbox.apply(
    ...["payments", "shop"].map((namespace) => ({ ...checkout, metadata: { ...checkout.metadata, namespace } })),
  );
  const history = desk.services.history;
  if (history === undefined) throw new Error("the desk has no history");
  const source = { kind: "text", text: desk.sandbox.kubeconfig } as const;
  const connection = createConnection({
    source,
    now: Date.now,
    monotonic: () => performance.now(),
    cluster: "sandbox",
  });
  const watch = watchPolicies(connection, {
    cluster: "sandbox",
    now: () => desk.services.now(),
    onProblem: () => undefined,
  });
  let told: Promise<unknown> = Promise.resolve();
  const unfollow = watch.follow({
    onSights: (sights: readonly Sight[]) => void (told = told.then(() => history.saw(sights)).catch(() => undefined)),
  });
  const newest = async (name: string, namespace: string): Promise<Revision | undefined> =>
    (await history.list({ cluster: "sandbox", namespace, name, limit: 1 }))[0];
  return {
    ...desk,
    history,
    policy: (name: string, namespace = "payments") =>
      desk.sandbox.objects("NetworkPolicy", namespace).find(({ metadata }) => metadata.name === name),
    image(name: string, namespace = "payments") {
      const object = this.policy(name, namespace);
      return object === undefined ? undefined : imageOf(object as never);
    },
    /** As somebody else does it; returns the revision once it is recorded. */
    async change(
      name: string,
      spec: Spec | undefined,
      { namespace = "payments", by = "", labels = {} } = {},
    ): Promise<Revision> {
      const before = await newest(name, namespace);
      const path = `${desk.sandbox.url}/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
      if (spec === undefined) await send("DELETE", `${path}/${name}`, undefined);
      else {
        const object = {
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          metadata: { name, namespace, labels },
          spec,
        };
        const isThere = desk.sandbox.objects("NetworkPolicy", namespace).some(({ metadata }) => metadata.name === name);
        const query = by === "" ? "" : `?fieldManager=${by}`;
        await (isThere ? send("PUT", `${path}/${name}${query}`, object) : send("POST", `${path}${query}`, object));
      }
      return recorded(async () => {
        await told;
        const now = await newest(name, namespace);
        return now !== undefined && now.id !== before?.id ? now : undefined;
      });
    },
    /** The newest change of the policy once it is another than that. */
    async changed(name: string, than: Revision, namespace = "payments"): Promise<Revision> {
      return recorded(async () => {
        await told;
        const now = await newest(name, namespace);
        return now !== undefined && now.id !== than.id ? now : undefined;
      });
    },
    /** A call of the API, by an administrator. */
    send: (method: string, path: string, body?: unknown) => send(method, `${desk.sandbox.url}${path}`, body),
    /** Types it and presses Confirm as often as it takes; the last answer. */
    async roll(text: string): Promise<Reply> {
      const planned = await desk.type(text);
      return confirmAll(desk, planned);
    },
    async close() {
      unfollow();
      await watch.close();
      await connection.close();
      await told;
      await desk.close();
    },
  };

  async function recorded(find: () => Promise<Revision | undefined>): Promise<Revision> {
    const revision = await waitFor(find);
    if (revision === undefined) throw new Error("nothing was recorded");
    return revision;
  }

  async function send(method: string, url: string, body: unknown): Promise<void> {
    const answer = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${tokenOf(desk)}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  }
}

export type UndoDesk = Awaited<ReturnType<typeof startUndoDesk>>;

export async function confirmAll(desk: Pick<TestDesk, "press">, planned: Reply): Promise<Reply> {
  const first = await desk.press("confirm", planned.operation);
  return first.headline.startsWith("Confirm once more") ? desk.press("confirm-again", planned.operation) : first;
}

function tokenOf({ sandbox }: Pick<TestDesk, "sandbox">): string {
  return /token: (\S+)/.exec(sandbox.kubeconfig)?.[1] ?? "";
}
