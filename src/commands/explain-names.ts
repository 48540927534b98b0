import { type Refusal, refusal } from "../policy/guard.ts";
import { isKind } from "../policy/kind.ts";
import { didYouMean } from "../policy/suggest.ts";
import { podsOfService, serviceNamed } from "../simulator/services.ts";
import type { SimulatedPod, SimulatedService } from "../simulator/snapshot.ts";
import type { End } from "./command.ts";
import type { ExplainFacts } from "./explain-facts.ts";
import { type Arrival, type Looking, type Side, sideOf, throughService } from "./explain-sides.ts";
import { hasNetwork } from "./simulated.ts";

type Named = Extract<End, { kind: "named" }>;

/** A pod by its whole name; a destination's Service that has the port; a workload; the Service; pods that begin so. */
export function resolveName(looking: Looking, end: Named): Side | Refusal {
  const { facts, arrival } = looking;
  const { namespace, of, name } = end;
  const label = `${namespace}/${name}`;
  const pods = facts.snapshot.pods.filter((pod) => pod.namespace === namespace);
  const here = pods.filter(({ workload }) => of === undefined || isKind(of, "Pod") || isKind(of, workload.kind));
  const exact = of === undefined || isKind(of, "Pod") ? here.find((pod) => pod.name === name) : undefined;
  if (exact !== undefined) return sideOf(label, [exact], arrival, `pod ${name}`);
  const service = serviceNamed(facts.snapshot, { namespace, kind: of, name });
  const through = service && arrival && throughService(facts, service, arrival);
  if (through !== undefined && "members" in through) return through;
  return (
    resolveWorkload(here, end, arrival, through) ??
    through ??
    resolveService(facts, service) ??
    resolvePrefix(looking, end, here)
  );
}

/** `through`: why its Service is not meant, which is said. */
function resolveWorkload(
  pods: readonly SimulatedPod[],
  { namespace, of, name }: Named,
  arrival: Arrival | undefined,
  through: Refusal | undefined,
): Side | undefined {
  const isMeant = (kind: string): boolean => kind !== "Pod" && (of === undefined || isKind(of, kind));
  const owned = pods.filter(({ workload }) => workload.name === name && isMeant(workload.kind));
  const aside = through === undefined ? "" : ` (${through.reason})`;
  if (owned.length === 0) return undefined;
  return sideOf(`${namespace}/${name}`, owned, arrival, `${kindsOf(owned)} ${name}${aside}`);
}

/** As a source: a Service opens no connections itself. */
function resolveService({ snapshot }: ExplainFacts, service: SimulatedService | undefined): Side | undefined {
  const behind = service === undefined ? [] : podsOfService(snapshot, service);
  if (service === undefined || behind.length === 0) return undefined;
  return sideOf(`${service.namespace}/${service.name}`, behind, undefined, `the pods of Service ${service.name}`);
}

/** Several pods are meant together where they are one workload's. */
function resolvePrefix({ facts, sees, arrival }: Looking, end: Named, pods: readonly SimulatedPod[]): Side | Refusal {
  const { namespace, name } = end;
  const starting = pods.filter((pod) => pod.name?.startsWith(name));
  const workloads = new Set(starting.map(({ workload }) => `${workload.kind} ${workload.name}`));
  const [first, ...more] = starting;
  if (workloads.size > 1)
    return refusal(
      `pods that are not of one workload begin with ${name} in ${namespace}: ${some(starting)}`,
      "Type enough to mean one.",
    );
  if (first === undefined) return notThere(facts, { namespace, name }, sees);
  if (more.length === 0) return sideOf(`${namespace}/${first.name}`, starting, arrival, "the only pod that begins so");
  return sideOf(
    `${namespace}/${first.workload.name}`,
    starting,
    arrival,
    `what ${name} begins: pods of ${listed([...workloads])}`,
  );
}

function notThere(
  { snapshot, pods }: ExplainFacts,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  sees: (namespace: string) => boolean,
): Refusal {
  const finished = pods.find((pod) => pod.namespace === namespace && pod.name === name && !hasNetwork(pod));
  if (finished !== undefined)
    return refusal(`pod ${namespace}/${name} has finished (${finished.phase}) and has no network`, "Name another.");
  const namespaces = snapshot.namespaces.map((one) => one.name);
  if (!namespaces.includes(namespace))
    return refusal(
      `there is no namespace ${namespace}`,
      `Look at kubectl get namespaces.${didYouMean(namespace, namespaces.filter(sees))}`,
    );
  if (serviceNamed(snapshot, { namespace, kind: undefined, name }) !== undefined)
    return refusal(`no running pod is behind Service ${namespace}/${name}`, "Name a pod, a workload or an address.");
  const here = snapshot.pods.filter((pod) => pod.namespace === namespace);
  const services = snapshot.services.filter((one) => one.namespace === namespace);
  const known = [...here.flatMap((pod) => [pod.workload.name, pod.name ?? ""]), ...services.map((one) => one.name)];
  return refusal(
    `there is no running workload, pod or Service ${name} in namespace ${namespace}`,
    `Look at kubectl get pods,services -n ${namespace}.${didYouMean(name, [...new Set(known)])}`,
  );
}

function kindsOf(pods: readonly SimulatedPod[]): string {
  return listed([...new Set(pods.map(({ workload }) => workload.kind))]);
}

function listed(names: readonly string[]): string {
  return names.join(" and ");
}

function some(pods: readonly SimulatedPod[]): string {
  const names = pods.map((pod) => pod.name ?? "").toSorted();
  return `${names.slice(0, 8).join(", ")}${names.length > 8 ? ` and ${names.length - 8} more` : ""}`;
}
