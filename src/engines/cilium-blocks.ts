import { isIpv6, subtractCidrs, wholeFamilies } from "./cidrs.ts";
import type { Opening } from "./cilium-openings.ts";
import { toPorts } from "./cilium-ports.ts";
import { portGroups } from "./port-ranges.ts";

/**
 * Denies all addresses outside the cluster that are in no opening's ipBlock, and on the ports that are not open there also
 * those that are. Nothing where there is no opening: the entity `world` is simpler then.
 */
export function blockRules(openings: readonly Opening[], list: string): readonly object[] {
  if (openings.length === 0) return [];
  const all = cidrsOf(openings);
  const partly = portGroups(openings).flatMap(({ open, ports }) => {
    const closed = subtractCidrs(cidrsOf(openings.filter((each) => !open.includes(each))), cidrsOf(open));
    return closed.length === 0 ? [] : [{ [list]: closed.map((cidr) => ({ cidr })), toPorts: toPorts(ports) }];
  });
  const rest = wholeFamilies.flatMap((cidr) => allBut(cidr, all));
  return [...(rest.length === 0 ? [] : [{ [list]: rest }]), ...partly];
}

function cidrsOf(openings: readonly Opening[]): readonly string[] {
  return openings.flatMap(({ endpoint: { peer } }) =>
    peer.ipBlock === undefined ? [] : subtractCidrs([peer.ipBlock.cidr], peer.ipBlock.except ?? []),
  );
}

function allBut(cidr: string, open: readonly string[]): readonly object[] {
  const except = [...new Set(open.filter((each) => isIpv6(each) === isIpv6(cidr)))];
  if (subtractCidrs([cidr], except).length === 0) return [];
  return [{ cidr, ...(except.length === 0 ? {} : { except }) }];
}
