import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { podTable } from "./pod-table.ts";
import { playAllowance } from "./tour-allow.ts";
import { playObserved } from "./tour-observed.ts";
import { playRollback } from "./tour-rollback.ts";
import { pressAndSee, sayAndSee, type TourOptions, until } from "./tour-steps.ts";
import type { World } from "./world.ts";

const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));

/**
 * A scripted incident, played through the same Slack and buttons that a person has. Each step waits for what must be
 * seen; rejects where it does not come. Resolves with the exit code of `audit verify`.
 */
export async function playTour(options: TourOptions): Promise<number> {
  const { world, write } = options;
  const { cluster } = world;
  const say = (text: string, expected: RegExp) => sayAndSee(options, text, expected);
  write("\n── An incident, in a sandbox: a real bot, a real Redis, a cluster and a Slack on this machine ──\n");
  await say("/np status", /nothing of Bulkhead's is in force/);
  const pod = firstPod(world, "shop", "frontend");
  pods(options, "shop");
  await say(`/np explain shop/${pod} → shop/cart:8081`, /Yes: shop\/frontend-\S+ can connect to shop\/cart/);
  await say(`/np quarantine shop/${pod} review 2h talks to an address nobody knows`, /Plan: quarantine/);
  const confirmed = world.slack.calls.length;
  await pressAndSee(options, "Confirm", /ISOLATED FOR NEW CONNECTIONS/);
  await until(() => frontends(world).length === 3, "the ReplicaSet's replacement");
  write("\n── The pod is out of its Service and its ReplicaSet; a replacement runs beside it ──\n");
  pods(options, "shop");
  await say(`/np explain shop/${pod} → shop/cart:8081`, /No: shop\/frontend-\S+ cannot connect to shop\/cart/);
  await say("/np explain shop/frontend → shop/cart:8081", /Yes: shop\/frontend can connect to shop\/cart/);
  await say("/np status shop", /quarantined for/);
  await playObserved(options, nodeOf(world, pod), confirmed);
  await say(`/np release shop/${pod} false alarm, it was the new CDN`, /Plan: release/);
  await pressAndSee(options, "Confirm", /Released: shop/);
  await until(
    () => frontends(world).length === 2 && cluster.objects("NetworkPolicy", "shop").length === 1,
    "the end of the release",
  );
  write("\n── The labels are back exactly, the surplus replica and the policy are gone ──\n");
  pods(options, "shop");
  write("\n── A namespace whose policies select every pod cannot be closed by a policy alone; Bulkhead says so ──\n");
  await say(
    `/np quarantine payments/${firstPod(world, "payments", "checkout")} --dry-run`,
    /Stays open, by the policy/,
  );
  await playAllowance(options);
  await playRollback(options);
  await say("/np audit since 1h", /confirmed by/);
  write("\n$ bulkhead audit verify\n");
  return auditVerify(options);
}

function pods({ world, write }: TourOptions, namespace: string): void {
  write(`\n$ kubectl get pods -n ${namespace} --show-labels\n${podTable(world.cluster, namespace)}\n`);
}

function firstPod({ cluster }: World, namespace: string, app: string): string {
  const names = cluster.objects("Pod", namespace).filter(({ metadata }) => metadata.labels?.["app"] === app);
  const [first] = names.map(({ metadata }) => metadata.name).toSorted();
  if (first === undefined) throw new Error(`the sandbox has no pod of ${namespace}/${app}`);
  return first;
}

function nodeOf({ cluster }: World, pod: string): string {
  const found = cluster.objects("Pod", "shop").find(({ metadata }) => metadata.name === pod);
  return (found?.["spec"] as { readonly nodeName?: string } | undefined)?.nodeName ?? "node-a";
}

/** Pods of the Deployment frontend, the quarantined one included: that one keeps its name. */
function frontends({ cluster }: World): readonly string[] {
  return cluster
    .objects("Pod", "shop")
    .map(({ metadata }) => metadata.name)
    .filter((name) => name.startsWith("frontend-"));
}

function auditVerify({ world, node, write }: TourOptions): Promise<number> {
  const child = spawn(node, [cli, "audit", "verify"], { env: { ...world.env }, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => write(data.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
