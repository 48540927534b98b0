import {
  type AddressSet,
  allAddresses,
  type Family,
  families,
  intersectAddresses,
  noAddresses,
  subtractAddresses,
  uniteAddresses,
} from "./addresses.ts";
import {
  and,
  everything,
  inNamespace,
  isCertain,
  ofServiceAccounts,
  onNamespace,
  onServiceAccount,
  podsWhere,
} from "./calico-labels.ts";
import type { Member } from "./calico-members.ts";
import type { CalicoEntity } from "./calico-rule-schema.ts";
import type { Expression } from "./calico-selector.ts";
import { readService, type ServiceEnds } from "./calico-services.ts";
import { type Truth, truthOf } from "./calico-truth.ts";
import type { EndpointKind, Matcher, PeerTerm } from "./model.ts";
import type { Snapshot } from "./snapshot.ts";

/** One end of a rule: what is selected and addressed as it must be, and not as it must not. Absent: no matter. */
export type Side = {
  readonly selected?: Expression;
  readonly unselected?: Expression;
  readonly addresses?: AddressSet;
  readonly service?: ServiceEnds;
};

/** What a side is read against: the namespace of a namespaced policy, what has labels besides pods, and all else. */
export type Surroundings = {
  readonly namespace: string | undefined;
  readonly members: readonly Member[];
  readonly snapshot: Snapshot;
};

/** Selects some of a policy's subjects, perhaps. */
export type SubjectTerm = { readonly subject?: Matcher; readonly maybe?: string };

const everywhere: readonly EndpointKind[] = ["pod", "node", "external"];

/**
 * As soon as a namespaced policy asks for any selector, a negative one too, it speaks of its own namespace, unless a
 * namespaceSelector says of which (GetEntityRuleSelector in rules.go of libcalico-go's update processors).
 */
export function readSide(entity: CalicoEntity, { namespace, snapshot }: Surroundings): Side {
  const { selector, notSelector, namespaceSelector, serviceAccounts, services } = entity;
  const account = serviceAccounts === undefined ? undefined : accountOf(serviceAccounts);
  const asks = [selector, notSelector, namespaceSelector, account].some((each) => each !== undefined);
  const own = namespace === undefined ? undefined : inNamespace(namespace);
  const scope = namespaceSelector === undefined ? own : onNamespace(namespaceSelector);
  const positive = [scope, account, selector].some((each) => each !== undefined);
  const addresses = addressesOf(entity);
  return {
    ...(asks && positive ? { selected: and([scope, account, selector]) } : {}),
    ...(notSelector === undefined ? {} : { unselected: notSelector }),
    ...(addresses === undefined ? {} : { addresses }),
    ...(services === undefined ? {} : { service: readService(services, namespace, snapshot) }),
  };
}

function accountOf({ names = [], selector }: NonNullable<CalicoEntity["serviceAccounts"]>): Expression | undefined {
  if (names.length === 0 && selector === undefined) return undefined;
  return and([
    selector === undefined ? undefined : onServiceAccount(selector),
    names.length === 0 ? undefined : ofServiceAccounts(names),
  ]);
}

/** A rule with notNets of one family only says nothing of the other (FilterRuleToIPVersion in felix/rules/policy.go). */
function addressesOf({ nets = [], notNets = [] }: CalicoEntity): AddressSet | undefined {
  if (nets.length === 0 && notNets.length === 0) return undefined;
  const wanted = nets.length === 0 ? allAddresses : uniteAddresses(nets);
  if (notNets.length === 0) return wanted;
  const unwanted = uniteAddresses(notNets);
  return intersectAddresses(subtractAddresses(wanted, unwanted), wholeFamiliesOf(unwanted));
}

/** All addresses of the families of which the set has some. */
export function wholeFamiliesOf(set: AddressSet): AddressSet {
  const of = (family: Family): AddressSet => (set[family].length === 0 ? noAddresses : allAddresses);
  return { ipv4: of("ipv4").ipv4, ipv6: of("ipv6").ipv6 };
}

/** Whether of each family all addresses are in the set, or none. */
function isOfWholeFamilies(set: AddressSet): boolean {
  const rest = subtractAddresses(wholeFamiliesOf(set), set);
  return families.every((family) => rest[family].length === 0);
}

/** Pods are held against nets by their addresses: Calico matches packets (Calico reference, EntityRule). */
export function peersOf(side: Side, within: AddressSet | undefined, members: readonly Member[]): "all" | PeerTerm[] {
  const both = [side.addresses, within].filter((each) => each !== undefined);
  const limit = both.length === 0 ? undefined : both.reduce(intersectAddresses);
  if (side.service !== undefined) return side.service.peers.map((peer) => combined([peer], limit));
  if (limit === undefined && side.selected === undefined && side.unselected === undefined) return "all";
  return selectedTerms(side.selected, members).flatMap((term) =>
    unselectedTerms(side.unselected, members).map((not) => combined([term, not], limit)),
  );
}

type Part = Pick<PeerTerm, "pods" | "notPods" | "addresses" | "notAddresses"> & {
  readonly on?: readonly EndpointKind[];
  readonly maybe?: string | undefined;
};

function selectedTerms(selected: Expression | undefined, members: readonly Member[]): readonly Part[] {
  if (selected === undefined) return [{ on: everywhere }];
  const reasons = reasonsOf(selected);
  const sure = addressesWhere(selected, members, [true]);
  const unsure = addressesWhere(selected, members, ["perhaps"]);
  return [
    { on: ["pod"], pods: podsWhere(selected, "certain") },
    ...(reasons === undefined ? [] : [{ on: ["pod"] as const, pods: podsWhere(selected, "possible"), maybe: reasons }]),
    ...(sure === undefined ? [] : [{ on: everywhere, addresses: sure }]),
    ...(unsure === undefined ? [] : [{ on: everywhere, addresses: unsure, maybe: unknownMember }]),
  ];
}

function unselectedTerms(unselected: Expression | undefined, members: readonly Member[]): readonly Part[] {
  if (unselected === undefined) return [{}];
  const sure = addressesWhere(unselected, members, [true]);
  const possible = addressesWhere(unselected, members, [true, "perhaps"]);
  const unsureMembers = addressesWhere(unselected, members, ["perhaps"]) !== undefined;
  const reason = reasonsOf(unselected) ?? (unsureMembers ? unknownMember : undefined);
  const certain = { notPods: podsWhere(unselected, "possible"), ...(possible && { notAddresses: possible }) };
  if (reason === undefined) return [certain];
  return [certain, { notPods: podsWhere(unselected, "certain"), ...(sure && { notAddresses: sure }), maybe: reason }];
}

const unknownMember = "a network set or host endpoint could not be read";
const unknownAccount = "the labels of service accounts are not known";

function reasonsOf(selector: Expression): string | undefined {
  return isCertain(selector) ? undefined : unknownAccount;
}

function addressesWhere(
  selector: Expression,
  members: readonly Member[],
  truths: readonly Truth[],
): AddressSet | undefined {
  const chosen = members.filter(({ labelOf }) => truths.includes(truthOf(selector, labelOf)));
  return chosen.length === 0 ? undefined : uniteAddresses(chosen.map(({ addresses }) => addresses));
}

function combined(parts: readonly Part[], limit: AddressSet | undefined): PeerTerm {
  const { addresses, notAddresses, maybe: _, ...rest }: Part = Object.assign({}, ...parts);
  const bound =
    addresses === undefined || limit === undefined ? (addresses ?? limit) : intersectAddresses(addresses, limit);
  const reasons = parts.flatMap(({ maybe }) => maybe ?? []);
  return {
    on: everywhere,
    ...rest,
    ...(bound && { addresses: bound }),
    ...(notAddresses && { notAddresses }),
    ...(bound || notAddresses ? { podsByAddress: "yes" as const } : {}),
    ...(reasons.length === 0 ? {} : { maybe: reasons.join("; ") }),
  };
}

/**
 * The side that is the policy's subject itself. Addresses of subjects are not evaluated, unless they are all of a family.
 */
export function subjectTermsOf(side: Side, field: string, members: readonly Member[]): readonly SubjectTerm[] {
  const unsureAddress =
    side.addresses !== undefined && !isOfWholeFamilies(side.addresses)
      ? `${field}.nets: the addresses of the policy's own pods are not evaluated`
      : undefined;
  const asked = and([side.selected, side.unselected && { op: "not", of: side.unselected }]);
  const selected = side.selected ?? everything;
  const mayBeSelected = side.selected && addressesWhere(selected, members, [true, "perhaps"]) && byMember(field);
  const mayBeUnselected =
    side.unselected && addressesWhere(side.unselected, members, [true, "perhaps"]) && byMember(field);
  const general = [unsureAddress, mayBeUnselected].filter((reason) => reason !== undefined);
  const terms: readonly SubjectTerm[] = [
    asked.op === "all" ? {} : { subject: podsWhere(asked, "certain") },
    ...(isCertain(asked) ? [] : [{ subject: podsWhere(asked, "possible"), maybe: unknownAccount }]),
    ...(mayBeSelected === undefined ? [] : [{ maybe: mayBeSelected }]),
  ];
  return terms.map(({ subject, maybe }) => {
    const reasons = [...general, ...(maybe === undefined ? [] : [maybe])];
    return { ...(subject && { subject }), ...(reasons.length === 0 ? {} : { maybe: reasons.join("; ") }) };
  });
}

function byMember(field: string): string {
  return `${field}: whether a network set holds the policy's own pods is not evaluated`;
}
