import { type AddressSet, allAddresses, intersectAddresses, noAddresses } from "./addresses.ts";
import { portTermsOf, portTermsOfService, protocolsOf } from "./calico-ports.ts";
import type { CalicoRule } from "./calico-rule-schema.ts";
import { peersOf, readSide, type Side, type Surroundings, subjectTermsOf, wholeFamiliesOf } from "./calico-sides.ts";
import type { Direction, Rule } from "./model.ts";

const actions = { Allow: "allow", Deny: "deny", Pass: "pass" } as const;

/**
 * The rules of one direction. Log decides nothing and the next rule is asked (Calico documentation, tiered policy), so it
 * is left out, as are rules for other protocols than TCP, UDP and SCTP; `notEvaluated` names them.
 */
export function readRules(
  rules: readonly CalicoRule[],
  direction: Direction,
  surroundings: Surroundings,
): { readonly rules: readonly Rule[]; readonly notEvaluated: readonly string[] } {
  const read = rules.map((rule, index) => readRule(rule, `${direction}[${index}]`, direction, surroundings));
  return { rules: read.flatMap((each) => each.rules), notEvaluated: read.flatMap((each) => each.notEvaluated) };
}

function readRule(
  rule: CalicoRule,
  name: string,
  direction: Direction,
  surroundings: Surroundings,
): ReturnType<typeof readRules> {
  if (rule.action === "Log") return { rules: [], notEvaluated: [`${name}: logging`] };
  const wanted = protocolsOf(rule);
  if (wanted !== "all" && wanted.length === 0)
    return { rules: [], notEvaluated: [`${name}: protocol ${rule.protocol ?? `not ${rule.notProtocol}`}`] };
  const [own, other] =
    direction === "ingress" ? (["destination", "source"] as const) : (["source", "destination"] as const);
  const subject = readSide(rule[own] ?? {}, surroundings);
  const peer = readSide(rule[other] ?? {}, surroundings);
  const peers = peersOf(peer, familiesOf(rule, subject), surroundings.members);
  const served = other === "destination" ? peer.service?.ports : undefined;
  const ports = served === undefined ? portTermsOf(rule) : portTermsOfService(served, rule);
  const general = [...reasonsOf(rule), ...ports.reasons];
  const action = actions[rule.action];
  const terms = subjectTermsOf(subject, own, surroundings.members);
  return {
    rules: terms.map(({ subject: matcher, maybe }): Rule => {
      const reasons = [...general, ...(maybe === undefined ? [] : [maybe])];
      return {
        action,
        name,
        ...(matcher && { subject: matcher }),
        peers,
        ports: ports.terms,
        ...(reasons.length === 0 ? {} : { maybe: reasons.join("; ") }),
      };
    }),
    notEvaluated: [],
  };
}

/** Both ends of a packet are of one family: what the subject's side leaves, the peer's must be of. Undefined: any. */
function familiesOf({ ipVersion }: CalicoRule, subject: Side): AddressSet | undefined {
  if (ipVersion === undefined && subject.addresses === undefined) return undefined;
  const ofSubject = subject.addresses === undefined ? allAddresses : wholeFamiliesOf(subject.addresses);
  const version = {
    ipv4: ipVersion === 6 ? noAddresses.ipv4 : allAddresses.ipv4,
    ipv6: ipVersion === 4 ? noAddresses.ipv6 : allAddresses.ipv6,
  };
  return intersectAddresses(ofSubject, version);
}

function reasonsOf({ http, notICMP, protocol, source }: CalicoRule): readonly string[] {
  const sourcePorts = [...(source?.ports ?? []), ...(source?.notPorts ?? [])].length > 0;
  return [
    ...(http === undefined ? [] : ["http: requests are not evaluated"]),
    ...(notICMP === undefined || protocol !== undefined ? [] : ["notICMP: without a protocol it is not evaluated"]),
    ...(sourcePorts ? ["source.ports: the port that a connection comes from is not evaluated"] : []),
  ];
}
