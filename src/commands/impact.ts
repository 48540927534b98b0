import { isClusterDns } from "../policy/cluster-dns.ts";
import type { Labels } from "../policy/objects.ts";
import type { Impact } from "../policy/plan.ts";
import type { Simulator } from "../simulator/compile.ts";
import { type DeltaRow, delta } from "../simulator/delta.ts";
import type { PortSet } from "../simulator/ports.ts";
import type { ReachedEnd } from "../simulator/reach.ts";
import type { SimulatedPod } from "../simulator/snapshot.ts";
import { budgetWords } from "./impact-budgets.ts";
import { credentialWords } from "./impact-credentials.ts";
import type { ImpactFacts } from "./impact-facts.ts";
import { lossWords } from "./impact-losses.ts";
import { lostBy } from "./impact-peers.ts";
import { type KnownPort, portWords } from "./impact-ports.ts";
import { meshOf, meshWarnings, probeWarnings } from "./impact-probes.ts";
import { someOf } from "./impact-words.ts";
import { unseen, unseenWords } from "./unseen.ts";

/** A containment as the simulator sees it. */
export type SimulatedChange = {
  readonly before: Simulator;
  readonly after: Simulator;
  /** As `delta` wants it: pods whose labels change, their form before by their form after. */
  readonly moved: ReadonlyMap<SimulatedPod, SimulatedPod>;
  /** What is contained, in the form after. */
  readonly subjects: readonly SimulatedPod[];
};

/**
 * What a containment changes for people, in sentences. Pure. Names in them come from outside: whoever shows them escapes.
 * Without `simulated` nothing is said of connections, and a warning says that.
 */
export function impactOf(facts: ImpactFacts, simulated: SimulatedChange | undefined): Impact {
  const rows = simulated === undefined ? [] : delta(simulated.before, simulated.after, simulated.moved);
  const after = new Map((simulated?.subjects ?? []).map((pod) => [pod.name, pod.labels]));
  const meshes = new Set(facts.pods.flatMap((pod) => meshOf(pod, facts.namespaceLabels) ?? []));
  const opens = rows.filter(({ opened }) => opened.length > 0).map((row) => rowWords(row, row.opened));
  return {
    loses: simulated === undefined ? [] : orNothing(losses(simulated, rows, facts)),
    opens: distinct(opens),
    effects: budgetWords(facts.budgets, facts.contained, ({ name, labels }): Labels => after.get(name) ?? labels),
    warnings: [
      ...(simulated === undefined ? ["Which connections this cuts could not be worked out."] : []),
      ...(opens.length === 0
        ? []
        : [
            `This also OPENS what was closed, as configured endpoints do: ${someOf(distinct(opens), 3, "connections")}.`,
          ]),
      ...(facts.contained.some(({ labels }) => isClusterDns(labels))
        ? ["It answers DNS for the cluster: whoever asks it gets no answer until its Service has dropped it."]
        : []),
      ...meshWarnings(meshes),
      ...probeWarnings(facts.pods),
      ...unreadWords(facts),
    ],
    rotate: credentialWords(facts),
  };
}

/** An absent list would read as one that was forgotten. */
function orNothing(losses: readonly string[]): readonly string[] {
  return losses.length === 0 ? ["Nothing: other policies leave it no connection that this would cut."] : losses;
}

const mostUnread = 5;

/** What is read of RBAC is spoken of where the credentials are. */
function unreadWords({ unread }: ImpactFacts): readonly string[] {
  return unread
    .filter(({ what }) => !what.includes("rolebindings"))
    .slice(0, mostUnread)
    .map(({ what }) => `Not read, and so not in this plan: ${what}.`);
}

function losses({ before, moved, subjects }: SimulatedChange, rows: readonly DeltaRow[], facts: ImpactFacts) {
  const contained = subjects.map((pod) => moved.get(pod) ?? pod);
  const unnamed: readonly KnownPort[] = facts.pods.flatMap(({ ports }) =>
    ports.flatMap(({ name, protocol, port }) => (name === undefined ? [{ protocol, port, by: "container port" }] : [])),
  );
  const lost = lostBy(rows, new Set(subjects));
  return lossWords(lost, { services: before.snapshot.services, contained, unnamed });
}

/** `shop/frontend (Deployment) → payments/checkout (Deployment) on TCP 8080`. */
function rowWords({ from, to }: DeltaRow, ports: PortSet): string {
  return `${endName(from)} → ${endName(to)} ${portWords(ports, []).text}`;
}

function endName(end: ReachedEnd): string {
  if (end.kind === "range") return end.range;
  const workloads = end.pods.map(({ workload }) =>
    workload.namespace === unseen.namespace ? unseenWords : `${workload.namespace}/${workload.name} (${workload.kind})`,
  );
  return someOf(distinct(workloads), 3, "workloads");
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted();
}
