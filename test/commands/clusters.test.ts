import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import { openCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import type { CredentialSource } from "../../src/kubernetes/credentials.ts";
import { marks } from "../../src/policy/marks.ts";
import { type SandboxCluster, startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import { bob, startDesk, type TestDesk, wordsIn } from "./desk.ts";

let eu: SandboxCluster;
let us: SandboxCluster;
let desk: TestDesk;
let count = 0;

const clusters = { home: "eu", defaultCluster: undefined, channels: { C0US: "us" } };
const everything = { verbs: ["*"], namespaces: ["*"] } as const;

beforeAll(async () => {
  [eu, us] = await Promise.all([startSandboxCluster(), startSandboxCluster()]);
  for (const sandbox of [eu, us]) {
    for (const name of ["payments", "bulkhead", "db"]) {
      sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
  }
  desk = await startDesk({
    services: { clusters: new Map([entry("eu", eu.kubeconfig), entry("us", us.kubeconfig)]) },
    settings: {
      clusters,
      access: {
        rules: [
          { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["payments", "bulkhead"] },
          { principals: ["slack:T1/U2"], ...everything, clusters: ["us"] },
        ],
        people: [],
      },
    },
  });
});

afterEach(() => {
  eu.faults.clear();
  us.faults.clear();
});

afterAll(async () => {
  await desk.close();
  await Promise.all([eu.close(), us.close()]);
});

function entry(name: string, kubeconfig: string) {
  return entryOf(name, { kind: "text", text: kubeconfig });
}

function entryOf(name: string, source: CredentialSource) {
  const connection = createConnection({ source, now: Date.now, cluster: name });
  const cluster = openCluster(name, connection, { now: Date.now, watch: false });
  return [name, { cluster, enforcement: "enforced" }] as const;
}

/** A running pod in some of the clusters, with a name that none of the other tests uses. */
function aPod(sandboxes: readonly SandboxCluster[], namespace = "payments"): string {
  const name = `checkout-${++count}x`;
  for (const sandbox of sandboxes) {
    sandbox.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace, labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", podIP: "10.1.0.9", conditions: [{ type: "Ready", status: "True" }] },
    });
  }
  return name;
}

/** Every request hangs from now on. */
function freeze({ faults }: SandboxCluster): void {
  faults.inject({ times: Number.POSITIVE_INFINITY }, { type: "hang" });
}

function ours(sandbox: SandboxCluster, operation: string | undefined): number {
  return sandbox.objects("NetworkPolicy").filter(({ metadata }) => metadata.labels?.[marks.operation] === operation)
    .length;
}

describe("the cluster of a quarantine", () => {
  test("is the named one, and only that is written to", async () => {
    const pod = aPod([eu, us]);
    const plan = await desk.type(`quarantine us:payments/${pod}`);
    expect(plan.outcome).toBe("needs-confirmation");
    expect(wordsIn(plan)).toContain(`payments/${pod} (cluster us)`);
    const done = await desk.press("confirm", plan.operation);
    expect(done.headline).toMatch(/ISOLATED/);
    expect([ours(eu, plan.operation), ours(us, plan.operation)]).toEqual([0, 1]);
  });

  test("is the channel's where none is named, and a named one wins over it", async () => {
    const pod = aPod([eu, us]);
    const inChannel = { channel: "C0US" };
    const plain = await desk.desk.run(
      { ...desk.request(`quarantine payments/${pod} --dry-run`), ...inChannel },
      desk.outlet,
    );
    expect(wordsIn(plain)).toContain("(cluster us)");
    const named = await desk.desk.run(
      { ...desk.request(`quarantine eu:payments/${pod} --dry-run`), ...inChannel },
      desk.outlet,
    );
    expect(wordsIn(named)).toContain("(cluster eu)");
  });

  test("is the only one that holds the pod, by the beginning of its name too", async () => {
    const pod = aPod([us]);
    for (const name of [pod, pod.slice(0, -1)]) {
      const plan = await desk.type(`quarantine payments/${name} --dry-run`);
      expect(wordsIn(plan)).toContain(`payments/${pod} (cluster us)`);
    }
  });

  test("is not guessed where several hold the pod: the answer is what to type", async () => {
    const pod = aPod([eu, us]);
    const reply = await desk.type(`quarantine payments/${pod}`);
    expect(reply.outcome).toBe("refused");
    expect(wordsIn(reply)).toContain(`Type eu:payments/${pod} or us:payments/${pod}.`);
    expect(await desk.services.operations.list({ live: true })).not.toContainEqual(
      expect.objectContaining({ target: expect.objectContaining({ pod }) }),
    );
  });

  test("is not guessed where one cluster is down: it might hold the pod too", async () => {
    const pod = aPod([us]);
    eu.faults.inject({ times: Number.POSITIVE_INFINITY }, { type: "reset" });
    const reply = await desk.type(`quarantine payments/${pod}`);
    expect(reply.outcome).toBe("refused");
    expect(wordsIn(reply)).toMatch(/luster eu could not be asked/);
    expect(wordsIn(reply)).toContain(`Name the cluster that you mean: us:payments/${pod} or eu:payments/${pod}.`);
    expect((await desk.type(`quarantine us:payments/${pod} --dry-run`)).outcome).toBe("ok");
  }, 20_000);

  test("is looked for only where the caller may: another cluster's pod is not even mentioned", async () => {
    const pod = aPod([eu, us]);
    const plan = await desk.type(`quarantine payments/${pod} --dry-run`, bob);
    expect(wordsIn(plan)).toContain("(cluster us)");
    const denied = await desk.type(`quarantine eu:payments/${pod}`, bob);
    expect(denied.outcome).toBe("refused");
    expect(wordsIn(denied)).toContain("There is no cluster eu. Clusters are: us.");
    const audited = await desk.services.audit.read({ actor: "slack:T1/U2" });
    expect(audited.at(-1)).toMatchObject({ kind: "refusal", command: `quarantine eu:payments/${pod}` });
  });

  test("must be one of ours, and a slip is told from a stranger", async () => {
    const reply = await desk.type("quarantine ue:payments/checkout-1");
    expect(reply.outcome).toBe("refused");
    expect(wordsIn(reply)).toContain("Clusters are: eu, us. Did you mean");
    for (const command of ["status ue:payments", "audit ue:", "release ue:payments/checkout-1"]) {
      expect(wordsIn(await desk.type(command))).toContain("There is no cluster ue");
    }
  });

  test("holds Bulkhead itself only where it is home", async () => {
    const pod = aPod([eu, us], "bulkhead");
    expect(wordsIn(await desk.type(`quarantine eu:bulkhead/${pod}`))).toContain("Bulkhead's own namespace");
    expect((await desk.type(`quarantine us:bulkhead/${pod} --dry-run`)).outcome).toBe("ok");
  });
});

describe("the cluster of a release by pod", () => {
  async function quarantined(cluster: string, pod: string): Promise<string> {
    const { operation = "" } = await desk.type(`quarantine ${cluster}:payments/${pod}`);
    await desk.press("confirm", operation);
    return operation;
  }

  test("is the one where the pod is quarantined, though another has a pod of that name", async () => {
    const pod = aPod([eu, us]);
    const operation = await quarantined("us", pod);
    const plan = await desk.type(`release payments/${pod}`);
    expect(wordsIn(plan)).toContain(`ends ${operation}`);
    expect((await desk.press("confirm", plan.operation)).headline).toMatch(/^Released/);
    expect(ours(us, operation)).toBe(0);
  });

  test("is not guessed where both quarantined it", async () => {
    const pod = aPod([eu, us]);
    const [, inUs] = [await quarantined("eu", pod), await quarantined("us", pod)];
    expect(wordsIn(await desk.type(`release payments/${pod}`))).toContain(
      `Type eu:payments/${pod} or us:payments/${pod}.`,
    );
    expect(wordsIn(await desk.type(`release us:payments/${pod}`))).toContain(`ends ${inUs}`);
  });

  test("is not guessed where one is down", async () => {
    const pod = aPod([eu, us]);
    await quarantined("us", pod);
    freeze(eu);
    const reply = await desk.type(`release payments/${pod}`);
    expect(reply.outcome).toBe("refused");
    expect(wordsIn(reply)).toMatch(/luster eu could not be asked .*no answer within 3 s/);
  }, 20_000);
});

test("While Redis is away a cluster that is down hides no other's quarantine from a release by hand", async () => {
  const pod = aPod([eu]);
  const { operation = "" } = await desk.type(`quarantine eu:payments/${pod}`);
  await desk.press("confirm", operation);
  const away = () => Promise.reject(new Error("Redis is away"));
  const operations = { ...desk.services.operations, list: away, get: away, startingWith: away, accept: away };
  const half = createDesk({ ...desk.services, operations });
  us.faults.inject({ times: Number.POSITIVE_INFINITY }, { type: "status", code: 403 });
  for (const meant of [operation, `payments/${pod}`]) {
    const said = wordsIn(await half.run(desk.request(`release ${meant}`), desk.outlet));
    expect(said).toContain(`these lines end ${operation} by hand, in cluster eu`);
    expect(said).toContain("Cluster us could not be asked");
  }
  const named = wordsIn(await half.run(desk.request(`release eu:payments/${pod}`), desk.outlet));
  expect(named).toContain(`these lines end ${operation} by hand`);
  expect(named).not.toContain("Cluster us");
});

describe("status and audit", () => {
  test("are about every cluster, or about the one that is named", async () => {
    const pod = aPod([eu]);
    const { operation } = await desk.type(`quarantine eu:payments/${pod}`);
    await desk.press("confirm", operation);
    const all = wordsIn(await desk.type("status"));
    expect(all).toContain("Cluster eu: ");
    expect(all).toContain("Cluster us: ");
    expect(all).toContain(`quarantine eu:payments/${pod}`);
    const one = wordsIn(await desk.type("status us:payments"));
    expect(one).toContain("Cluster us: ");
    expect(one).not.toMatch(/Cluster eu: |eu:payments/);
    expect(wordsIn(await desk.type("audit eu:payments/"))).toMatch(/\(cluster eu\)/);
    expect(wordsIn(await desk.type("audit us:payments/"))).not.toMatch(/\(cluster eu\)/);
  });

  test("show nothing of a cluster where the caller may not look", async () => {
    const seen = wordsIn(await desk.type("status", bob)) + wordsIn(await desk.type("audit", bob));
    expect(seen).toContain("Cluster us: ");
    // The caller's own words may come back: that there is no cluster of that name.
    expect(seen.replaceAll("there is no cluster eu", "")).not.toMatch(/[Cc]luster eu|eu:payments/);
  });

  test("A cluster that hangs does not hold back what there is to say of the others", async () => {
    freeze(us);
    const said = wordsIn(await desk.type("status"));
    expect(said).toMatch(/Cluster us: [^\]]*NOT KNOWN: /);
    expect(said).toMatch(/Cluster eu: [^\]]*(quarantined for|nothing of Bulkhead)/);
  }, 20_000);
});

describe("one cluster that cannot be used", () => {
  test.each<[string, CredentialSource]>([
    ["whose kubeconfig is gone", { kind: "files", paths: ["/nowhere/kubeconfig"] }],
    ["whose context is gone", { kind: "text", text: "apiVersion: v1\nkind: Config\n", context: "gone" }],
  ])("%s leaves the others working, and says why", async (_, source) => {
    const half = await startDesk({
      services: { clusters: new Map([entry("eu", eu.kubeconfig), entryOf("us", source)]) },
      settings: { clusters: { ...clusters, channels: {} } },
    });
    const pod = aPod([eu]);
    expect((await half.type(`quarantine eu:payments/${pod} --dry-run`)).outcome).toBe("ok");
    const refused = await half.type(`quarantine payments/${pod}`);
    expect(wordsIn(refused)).toMatch(/luster us could not be asked .*no usable kubeconfig/);
    expect(wordsIn(await half.type("status"))).toMatch(/Cluster us: [^\]]*NOT KNOWN: [^\]]*no usable kubeconfig/);
    await half.close();
  });
});

test.each([
  ["the channel's", { defaultCluster: undefined, channels: { C1: "eu" } }],
  ["the default", { defaultCluster: "eu", channels: {} }],
])("A cluster that was not typed and is not seen is not named by the refusal where it is %s", async (_, chosen) => {
  const services = { ...desk.services, settings: { ...desk.services.settings, clusters: { home: "us", ...chosen } } };
  const others = createDesk(services);
  for (const text of ["quarantine payments/checkout-1", "quarantine db/a --dry-run", "release payments/checkout-1"]) {
    const reply = await others.run(desk.request(text, bob), desk.outlet);
    expect(reply.outcome).toBe("refused");
    expect(wordsIn(reply)).toContain("Clusters are: us.");
    expect(JSON.stringify(reply)).not.toContain("eu");
    const entry = (await desk.services.audit.read({ actor: "slack:T1/U2" })).at(-1);
    expect(entry).toMatchObject({ kind: "refusal", command: text });
    expect(entry?.summary).not.toContain("eu");
  }
});

test.each([
  "status NAME:payments",
  "audit NAME:payments/",
  "quarantine NAME:payments/checkout-1",
  "quarantine NAME:payments/checkout-1 --dry-run",
  "release NAME:payments/checkout-1",
])("%s answers alike for a cluster where the person has no right and for one that is not there", async (text) => {
  const said = async (name: string) =>
    JSON.stringify(await desk.type(text.replace("NAME", name), bob))
      .replaceAll(name, "NAME")
      .replaceAll(/ Did you mean \w+\?/g, "");
  expect(await said("eu")).toBe(await said("zz"));
  expect(await said("eu")).toContain("There is no cluster NAME");
});
