import type { PodClass } from "./classes.ts";
import type { Simulator } from "./compile.ts";
import { familiesOf, podPeer } from "./decide.ts";
import type { Layers } from "./layers.ts";
import type { Encounter, Peer } from "./match.ts";
import type { Direction } from "./model.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { allPorts, intersectPorts, noPorts, type PortSet, subtractPorts } from "./ports.ts";

/** The ports on which a connection is surely allowed, and those on which that is undecided. */
export type Openness = { readonly allow: PortSet; readonly undecided: PortSet };

/** Something that can be at one end: pods of a class, a node, or an address. */
export type End = { readonly peer: Peer; readonly podClass: PodClass | undefined };

const open: Outcome = { allow: allPorts, deny: noPorts };

export function endOfClass(podClass: PodClass): End {
  return { peer: podPeer(podClass), podClass };
}

/** On which ports connections from one end to the other can be made. The ends are two pods, not the same one. */
export function opennessBetween(simulator: Simulator, from: End, to: End): Openness {
  const egress = outcomeFor(simulator, "egress", from, to);
  if (egress.allow.length === 0) return { allow: noPorts, undecided: noPorts };
  return join(egress, outcomeFor(simulator, "ingress", to, from));
}

/** What one direction's policies of the subject say of the other end. */
export function outcomeFor(simulator: Simulator, direction: Direction, subject: End, other: End): Outcome {
  if (subject.podClass === undefined) return open;
  const layers: Layers = simulator.layers[direction][subject.podClass.index] ?? [];
  if (layers.length === 0) return open;
  const destination = direction === "egress" ? other : subject;
  const encounter: Encounter = {
    peer: other.peer,
    ports: destination.podClass?.ports ?? [],
    families: familiesOf(subject.podClass.addresses),
    ipBlockMatchesPods: simulator.settings.ipBlockMatchesPods,
  };
  return outcomeOf(layers, encounter);
}

/** Both directions must allow; what both may allow and either may deny is undecided. */
export function join(egress: Outcome, ingress: Outcome): Openness {
  const may = intersectPorts(egress.allow, ingress.allow);
  const allow = subtractPorts(subtractPorts(may, egress.deny), ingress.deny);
  return { allow, undecided: subtractPorts(may, allow) };
}
