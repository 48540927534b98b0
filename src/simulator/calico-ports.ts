import type { CalicoPort, CalicoRule } from "./calico-rule-schema.ts";
import type { PortTerm, Protocol } from "./model.ts";
import { noPorts, type PortSet, portRange, portsByProtocol, protocols, subtractPorts, unitePorts } from "./ports.ts";

const byNumber: Readonly<Record<number, Protocol>> = { 6: "TCP", 17: "UDP", 132: "SCTP" };

/** Those of TCP, UDP and SCTP that the rule is for; `"all"`: for every protocol. */
export function protocolsOf({ protocol, notProtocol }: CalicoRule): "all" | readonly Protocol[] {
  const wanted = protocol === undefined ? undefined : protocolOf(protocol);
  const unwanted = notProtocol === undefined ? undefined : protocolOf(notProtocol);
  if (protocol === undefined && unwanted === undefined) return "all";
  return protocols.filter((each) => (protocol === undefined || each === wanted) && each !== unwanted);
}

function protocolOf(protocol: NonNullable<CalicoRule["protocol"]>): Protocol | undefined {
  return typeof protocol === "number" ? byNumber[protocol] : protocols.find((each) => each === protocol);
}

type Ports = { readonly terms: "all" | readonly PortTerm[]; readonly reasons: readonly string[] };

/** Those of the Service that is a rule's destination, beside which it can have no others. */
export function portTermsOfService(ports: readonly PortTerm[], rule: CalicoRule): Ports {
  const wanted = protocolsOf(rule);
  return { terms: ports.filter(({ protocol }) => wanted === "all" || wanted.includes(protocol)), reasons: [] };
}

/** The destination's ports. A name is resolved on the pod; that a port has not a certain name is not evaluated. */
export function portTermsOf(rule: CalicoRule): Ports {
  const { ports = [], notPorts = [] } = rule.destination ?? {};
  const wanted = protocolsOf(rule);
  const names = namesIn(ports);
  const unwantedName = namesIn(notPorts).length > 0 || (names.length > 0 && notPorts.length > 0);
  const reasons = unwantedName ? ["destination.notPorts: names of ports are not evaluated there"] : [];
  if (wanted === "all" && ports.length === 0 && notPorts.length === 0) return { terms: "all", reasons };
  const terms = (wanted === "all" ? protocols : wanted).flatMap((protocol): PortTerm[] => {
    const all = ports.length === 0 ? portRange(protocol, 1, 65_535) : numbersIn(ports, protocol);
    const left = portsByProtocol(subtractPorts(all, numbersIn(notPorts, protocol)))[protocol] ?? [];
    return [...left.map(([from, to]) => ({ protocol, from, to })), ...names.map((name) => ({ protocol, name }))];
  });
  return { terms, reasons };
}

function namesIn(ports: readonly CalicoPort[]): readonly string[] {
  return ports.flatMap((port) => (typeof port === "object" && "name" in port ? [port.name] : []));
}

function numbersIn(ports: readonly CalicoPort[], protocol: Protocol): PortSet {
  const sets = ports.map((port) => {
    if (typeof port === "number") return portRange(protocol, port, port);
    return "name" in port ? noPorts : portRange(protocol, port.from, port.to);
  });
  return sets.reduce(unitePorts, noPorts);
}
