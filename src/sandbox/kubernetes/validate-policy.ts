import ipaddr from "ipaddr.js";
import { forbidden, invalidValue, required, unsupported } from "./causes.ts";
import { at, isObject, type JsonObject, listAt, numberAt, textAt, textsAt } from "./json.ts";
import { labelValueProblem, portNameProblem, qualifiedNameProblem } from "./names.ts";
import type { Cause } from "./status.ts";

const protocols = ["TCP", "UDP", "SCTP"];

/** What the server refuses in the spec of a NetworkPolicy. Host bits in a CIDR are no problem to it. */
export function networkPolicyProblems(spec: JsonObject): Cause[] {
  return [
    ...selectorProblems(at(spec, "podSelector"), "spec.podSelector"),
    ...sideProblems(spec, "ingress", "from"),
    ...sideProblems(spec, "egress", "to"),
    ...typeProblems(listAt(spec, "policyTypes")),
  ];
}

function sideProblems(spec: JsonObject, side: "ingress" | "egress", peers: "from" | "to"): Cause[] {
  return listAt(spec, side).flatMap((rule, index) => {
    const path = `spec.${side}[${index}]`;
    return [
      ...listAt(rule, "ports").flatMap((port, each) => portProblems(port, `${path}.ports[${each}]`)),
      ...listAt(rule, peers).flatMap((peer, each) => peerProblems(peer, `${path}.${peers}[${each}]`)),
    ];
  });
}

function portProblems(entry: unknown, path: string): Cause[] {
  const protocol = textAt(entry, "protocol");
  const port = at(entry, "port");
  return [
    ...(protocol !== undefined && !protocols.includes(protocol)
      ? [unsupported(`${path}.protocol`, protocol, protocols)]
      : []),
    ...numberOrNameProblems(port, `${path}.port`),
    ...endPortProblems(entry, port, path),
  ];
}

function numberOrNameProblems(port: unknown, path: string): Cause[] {
  if (typeof port === "number")
    return isPort(port) ? [] : [invalidValue(path, port, "must be between 1 and 65535, inclusive")];
  const problem = typeof port === "string" ? portNameProblem(port) : undefined;
  return problem === undefined ? [] : [invalidValue(path, port, problem)];
}

function endPortProblems(entry: unknown, port: unknown, path: string): Cause[] {
  const endPort = numberAt(entry, "endPort");
  if (endPort === undefined) return [];
  if (port === undefined) return [required(`${path}.endPort`, "must be specified with a port")];
  if (typeof port === "string")
    return [invalidValue(`${path}.endPort`, endPort, "may not be specified when `port` is non-numeric")];
  return [
    ...(typeof port === "number" && endPort < port
      ? [invalidValue(`${path}.endPort`, endPort, "must be greater than or equal to `port`")]
      : []),
    ...(isPort(endPort) ? [] : [invalidValue(`${path}.endPort`, endPort, "must be between 1 and 65535, inclusive")]),
  ];
}

function peerProblems(peer: unknown, path: string): Cause[] {
  const block = at(peer, "ipBlock");
  const selectors = ["podSelector", "namespaceSelector"].filter((name) => at(peer, name) !== undefined);
  if (block === undefined && selectors.length === 0) return [required(path, "must specify a peer")];
  return [
    ...selectors.flatMap((name) => selectorProblems(at(peer, name), `${path}.${name}`)),
    ...(block === undefined ? [] : blockProblems(block, `${path}.ipBlock`)),
    ...(block !== undefined && selectors.length > 0
      ? [forbidden(path, "may not specify both ipBlock and another peer")]
      : []),
  ];
}

function blockProblems(block: unknown, path: string): Cause[] {
  const cidr = textAt(block, "cidr") ?? "";
  if (cidr === "") return [required(`${path}.cidr`)];
  const outer = parseCidr(cidr);
  if (outer === undefined)
    return [invalidValue(`${path}.cidr`, cidr, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")];
  return listAt(block, "except").flatMap((except, index) => {
    const field = `${path}.except[${index}]`;
    const inner = parseCidr(String(except));
    if (inner === undefined)
      return [invalidValue(field, except, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")];
    return isInside(inner, outer) ? [] : [invalidValue(field, except, "must be a strict subset of `cidr`")];
  });
}

type Cidr = ReturnType<typeof ipaddr.parseCIDR>;

/** As net.ParseCIDR reads it: four decimal parts without leading zeros, a prefix length, nothing else. */
function parseCidr(text: string): Cidr | undefined {
  const form = text.includes(":")
    ? /^[0-9a-fA-F:.]+\/\d{1,3}$/
    : /^((0|[1-9]\d{0,2})\.){3}(0|[1-9]\d{0,2})\/(0|[1-9]\d?)$/;
  return form.test(text) && ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined;
}

/** As the server judges it: the address lies in the block, and the prefix is longer. */
function isInside([address, bits]: Cidr, outer: Cidr): boolean {
  return address.kind() === outer[0].kind() && bits > outer[1] && address.match(outer);
}

function selectorProblems(selector: unknown, path: string): Cause[] {
  if (!isObject(selector)) return [];
  const pairs = Object.entries(textsAt(selector, "matchLabels"));
  const found = (value: string, problem: string | undefined): Cause[] =>
    problem === undefined ? [] : [invalidValue(`${path}.matchLabels`, value, problem)];
  return [
    ...pairs.flatMap(([key, value]) => [
      ...found(key, qualifiedNameProblem(key)),
      ...found(value, labelValueProblem(value)),
    ]),
    ...listAt(selector, "matchExpressions").flatMap((each, index) =>
      expressionProblems(each, `${path}.matchExpressions[${index}]`),
    ),
  ];
}

function expressionProblems(expression: unknown, path: string): Cause[] {
  const key = textAt(expression, "key") ?? "";
  const operator = textAt(expression, "operator") ?? "";
  const count = listAt(expression, "values").length;
  const problem = qualifiedNameProblem(key);
  const keyProblems = problem === undefined ? [] : [invalidValue(`${path}.key`, key, problem)];
  switch (operator) {
    case "In":
    case "NotIn":
      return count > 0
        ? keyProblems
        : [...keyProblems, required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
    case "Exists":
    case "DoesNotExist":
      return count === 0
        ? keyProblems
        : [
            ...keyProblems,
            forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
          ];
    default:
      return [...keyProblems, invalidValue(`${path}.operator`, operator, "not a valid selector operator")];
  }
}

function typeProblems(types: readonly unknown[]): Cause[] {
  if (types.length > 2) return [invalidValue("spec.policyTypes", types, "may not specify more than two policyTypes")];
  return types
    .map((type, index) => ({ type, field: `spec.policyTypes[${index}]` }))
    .filter(({ type }) => type !== "Ingress" && type !== "Egress")
    .map(({ type, field }) => unsupported(field, type, ["Egress", "Ingress"]));
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}
