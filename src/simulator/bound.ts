import type { Column, Columns } from "./columns.ts";
import type { PeerTerm, Policy, PortTerm, Rule } from "./model.ts";
import { noPorts, type PortSet, portRange, unitePorts } from "./ports.ts";

/** A rule with its selectors looked up and its numbers counted together. */
export type BoundRule = {
  readonly policy: Policy;
  readonly rule: Rule;
  /** Undefined: all of the policy's subjects. */
  readonly subject: Column | undefined;
  readonly peers: "all" | readonly BoundTerm[];
  /** The ports that are given by number. */
  readonly ports: "all" | PortSet;
  readonly namedPorts: readonly Extract<PortTerm, { name: string }>[];
  readonly maybe: string | undefined;
};

export type BoundTerm = {
  readonly term: PeerTerm;
  readonly pods: Column | undefined;
  readonly notPods: Column | undefined;
};

export function bindRule(policy: Policy, rule: Rule, columns: Columns): BoundRule {
  const { ports, peers } = rule;
  return {
    policy,
    rule,
    subject: rule.subject && columns.of(rule.subject),
    peers: peers === "all" ? "all" : peers.map((term) => bindTerm(term, columns)),
    ports: ports === "all" ? "all" : ports.reduce(addNumbers, noPorts),
    namedPorts: ports === "all" ? [] : ports.filter((term) => "name" in term),
    maybe: rule.maybe ?? policy.maybe,
  };
}

function bindTerm(term: PeerTerm, columns: Columns): BoundTerm {
  return {
    term,
    pods: term.pods && columns.of(term.pods),
    notPods: term.notPods && columns.of(term.notPods),
  };
}

function addNumbers(ports: PortSet, term: PortTerm): PortSet {
  return "name" in term ? ports : unitePorts(ports, portRange(term.protocol, term.from, term.to));
}
