import type { BoundRule } from "./bound.ts";
import type { Group, Layer, Layers } from "./layers.ts";
import { type Encounter, type Match, matchPeers, matchPorts } from "./match.ts";
import type { Policy } from "./model.ts";
import { allPorts, intersectPorts, noPorts, type PortSet, subtractPorts, unitePorts } from "./ports.ts";

/** What may be allowed and what may be denied: a port in both is undecided, one in neither was not asked for. */
export type Outcome = { readonly allow: PortSet; readonly deny: PortSet };

/** One reason for which some of the asked ports are allowed or denied. */
export type Cause =
  | { readonly kind: "rule"; readonly bound: BoundRule; readonly maybe: string | undefined }
  | { readonly kind: "isolated"; readonly policies: readonly Policy[]; readonly maybe: string | undefined }
  | { readonly kind: "end" };

/** `ports`: of those that were asked, what came to it. */
export type Trace = (cause: Cause, ports: PortSet) => void;

/** Takes the asked ports through the layers. `trace` hears of each rule and default that touched some of them. */
export function outcomeOf(layers: Layers, encounter: Encounter, asked: PortSet = allPorts, trace?: Trace): Outcome {
  if (layers.length === 0) {
    trace?.({ kind: "end" }, asked);
    return { allow: asked, deny: noPorts };
  }
  const arriving = layers.map(() => noPorts);
  const walk: Walk = { encounter, trace, told: new Set(), allow: noPorts, deny: noPorts, arriving };
  walk.arriving[0] = asked;
  walk.arriving.push(noPorts);
  for (const [index, layer] of layers.entries()) walkLayer(walk, layers, layer, index);
  const rest = walk.arriving[layers.length] ?? noPorts;
  if (rest.length > 0) trace?.({ kind: "end" }, rest);
  return { allow: unitePorts(walk.allow, rest), deny: walk.deny };
}

type Walk = {
  readonly encounter: Encounter;
  readonly trace: Trace | undefined;
  /** A rule may stand in several lanes, and is told of once. */
  readonly told: Set<BoundRule>;
  allow: PortSet;
  deny: PortSet;
  /** For each layer, and for the end, the ports that may come to it. */
  readonly arriving: PortSet[];
};

function walkLayer(walk: Walk, layers: Layers, layer: Layer, index: number): void {
  let open = walk.arriving[index] ?? noPorts;
  let passed = noPorts;
  for (const group of layer.groups) {
    if (open.length === 0) break;
    const taken = walkGroup(walk, group, open);
    passed = unitePorts(passed, taken.passed);
    open = subtractPorts(open, taken.surely);
  }
  send(walk, passTarget(layers, layer, index), passed);
  if (open.length === 0) return;
  const sure = layer.isolating.filter(({ maybe }) => maybe === undefined);
  if (layer.isolating.length > 0) {
    walk.deny = unitePorts(walk.deny, open);
    const policies = sure.length > 0 ? sure : layer.isolating;
    walk.trace?.({ kind: "isolated", policies, maybe: sure.length > 0 ? undefined : policies[0]?.maybe }, open);
  }
  if (sure.length === 0) send(walk, index + 1, open);
}

type Taken = { readonly passed: PortSet; readonly surely: PortSet };

/** Each lane sees the same ports, as if it were the first: where lanes disagree, the port ends in both outcomes. */
function walkGroup(walk: Walk, group: Group, open: PortSet): Taken {
  let [passed, surely] = [noPorts, noPorts];
  for (const lane of group) {
    let left = open;
    for (const bound of lane) {
      if (left.length === 0) break;
      const match = matchPeers(bound, walk.encounter);
      if (match === false) continue;
      const ports = intersectPorts(left, matchPorts(bound, walk.encounter));
      if (ports.length === 0) continue;
      if (bound.rule.action === "pass") passed = unitePorts(passed, ports);
      record(walk, bound, match, ports);
      if (match === true) left = subtractPorts(left, ports);
    }
    surely = unitePorts(surely, subtractPorts(open, left));
  }
  return { passed, surely };
}

function record(walk: Walk, bound: BoundRule, match: Exclude<Match, false>, ports: PortSet): void {
  if (bound.rule.action === "allow") walk.allow = unitePorts(walk.allow, ports);
  if (bound.rule.action === "deny") walk.deny = unitePorts(walk.deny, ports);
  if (walk.trace === undefined || walk.told.has(bound)) return;
  walk.told.add(bound);
  walk.trace({ kind: "rule", bound, maybe: match === true ? undefined : match.maybe }, ports);
}

function send(walk: Walk, to: number, ports: PortSet): void {
  walk.arriving[to] = unitePorts(walk.arriving[to] ?? noPorts, ports);
}

function passTarget(layers: Layers, { stage }: Layer, index: number): number {
  const { passTo } = stage;
  if (passTo === undefined) return index + 1;
  const target = layers.findIndex((layer, at) => at > index && layer.stage.order >= passTo);
  return target < 0 ? layers.length : target;
}
