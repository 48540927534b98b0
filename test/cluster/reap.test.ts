import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { marks } from "../../src/policy/marks.ts";
import { allowanceObject, startTimedCluster } from "../commands/allowance-world.ts";
import { checkout } from "../deploy/manifests.ts";
import { waitFor } from "../wait.ts";
import { type Deployed, deployBulkhead } from "./deployed.ts";
import { kubectl, kubectlJson } from "./kubectl.ts";

/** `bulkhead reap` alone, as a process with the rights of deploy/: on a real control plane, and on a second cluster beside it. */
const namespace = `reap-${randomBytes(4).toString("hex")}`;
let deployed: Deployed;
let other: Awaited<ReturnType<typeof startTimedCluster>>;
let folder: string;

beforeAll(async () => {
  await kubectl(["create", "namespace", namespace]);
  [deployed, other, folder] = await Promise.all([
    deployBulkhead([namespace]),
    startTimedCluster(),
    mkdtemp(join(tmpdir(), "bulkhead-reap-")),
  ]);
  await writeFile(join(folder, "real"), await asReaper(deployed.kubeconfig));
  await writeFile(join(folder, "other"), other.sandbox.kubeconfig);
  const clusters = ["real", "other"].map((name) => ({ name, kubeconfig: join(folder, name) }));
  await writeFile(join(folder, "config.yaml"), JSON.stringify({ clusters, home: "real" }));
}, 120_000);

afterAll(async () => {
  await kubectl(["delete", "namespace", namespace, "--wait=false"]);
  await deployed?.remove();
  await other?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

const soon = { ttlSeconds: 1, maxSeconds: 1_000 };
const labels = { [marks.kind]: "allowance", [marks.operation]: "a-7f3kd2m" };

/** What stays, and what goes, in this namespace. */
function objects(place: string) {
  const ours = allowanceObject({ ...soon, namespace: place });
  const named = (name: string, given: Record<string, string>) => ({
    ...ours,
    metadata: { ...ours.metadata, name, labels: given },
  });
  return {
    stay: [
      named("bulkhead-a-7f3kd2m-1-1000-0-aaaaaaaa", labels),
      named("allow-dns", labels),
      named("bulkhead-q-7f3kd2m", { [marks.kind]: "quarantine", [marks.operation]: "q-7f3kd2m" }),
      named("bulkhead-l-7f3kd2m", { [marks.kind]: "lockdown", [marks.operation]: "l-7f3kd2m" }),
      allowanceObject({ namespace: place, ttlSeconds: 900, maxSeconds: 1_000 }),
      // Extended.
      allowanceObject({ ...soon, namespace: place, index: 4, annotations: { [marks.ttlSeconds]: "900" } }),
    ],
    go: [
      ours,
      allowanceObject({ ...soon, namespace: place, index: 1, annotations: {} }),
      allowanceObject({ ...soon, namespace: place, index: 2, annotations: { [marks.ttlSeconds]: "-1" }, labels: {} }),
      allowanceObject({
        ttlSeconds: 1,
        maxSeconds: 2,
        namespace: place,
        index: 3,
        annotations: { [marks.ttlSeconds]: "999999999" },
      }),
    ],
  };
}

test("bulkhead reap ends exactly what is past its time in both clusters, says so line by line, and leaves a heartbeat", async () => {
  const [here, there] = [objects(namespace), objects("payments")];
  const items = [...here.stay, ...here.go];
  await kubectl(["apply", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items }) });
  other.sandbox.apply(...there.stay, ...there.go);
  other.pass(3_000);
  const left = here.stay.map(({ metadata }) => metadata.name).toSorted();
  await waitFor(
    () => reap(["--dry-run"]).then(({ out }) => out.filter(({ result }) => result === "would-close").length === 8),
    {
      timeoutMs: 30_000,
    },
  );
  expect(await policies()).toHaveLength(10);
  const { code, out, err } = await reap([]);
  expect(err).toBe("");
  expect(code).toBe(0);
  expect(out.filter(({ result }) => result === "closed")).toHaveLength(8);
  expect(out.filter(({ result }) => result === "in-force")).toHaveLength(4);
  expect(await policies()).toEqual(left);
  expect(other.policies().toSorted()).toEqual(left);
  const { data } = await kubectlJson<{ data: { record: string } }>([
    "get",
    "configmap",
    "bulkhead-reaper",
    "-n",
    "bulkhead",
  ]);
  const { clusters, ended } = JSON.parse(data.record) as { clusters: Record<string, unknown>; ended: unknown[] };
  expect(Object.keys(clusters).toSorted()).toEqual(["other", "real"]);
  expect(ended).toHaveLength(8);
  // A second run conditions on the first one's heartbeat, and finds nothing to do.
  expect((await reap([])).out.map(({ result }) => result)).toEqual(Array.from({ length: 4 }, () => "in-force"));
}, 120_000);

/** The same kubeconfig with the reaper's own token: its rights are those of deploy/ and no more. */
async function asReaper(kubeconfig: string): Promise<string> {
  const token = await kubectl(["create", "token", "bulkhead-reaper", "--namespace", "bulkhead", "--duration", "1h"]);
  const config = JSON.parse(kubeconfig) as { users: { name: string; user: { token: string } }[] };
  return JSON.stringify({
    ...config,
    users: config.users.map(({ name }) => ({ name, user: { token: token.trim() } })),
  });
}

async function policies(): Promise<readonly string[]> {
  const list = await kubectlJson<{ items: { metadata: { name: string } }[] }>([
    "get",
    "networkpolicies",
    "-n",
    namespace,
  ]);
  return list.items.map(({ metadata }) => metadata.name).toSorted();
}

type Ran = { readonly code: number; readonly out: readonly Record<string, unknown>[]; readonly err: string };

function reap(args: readonly string[]): Promise<Ran> {
  const env = { PATH: process.env["PATH"], POD_NAMESPACE: "bulkhead", BULKHEAD_CONFIG: join(folder, "config.yaml") };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(checkout, "src/cli.ts"), "reap", ...args], { env }, (error, stdout, err) => {
      const out = stdout.split("\n").filter((line) => line !== "");
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, err, out: out.map((line) => JSON.parse(line) as Record<string, unknown>) });
    });
  });
}
