import { type Cidr, containsCidr, formatCidr, overlaps, parseExactCidr } from "./cidr.ts";
import { isKind } from "./kind.ts";
import { type WorkloadKind, workloadKinds } from "./objects.ts";
import { didYouMean } from "./suggest.ts";
import { isClusterName, isNamespaceName, isPodNamePrefix, splitCluster } from "./target.ts";
import type { CidrParameter, ParameterType, PortParameter } from "./template.ts";

/** A workload as a parameter names it; a kind that is undefined is whichever kind has that name. */
export type WorkloadValue = {
  readonly cluster: string | undefined;
  readonly namespace: string;
  readonly kind: WorkloadKind | undefined;
  readonly name: string;
};

export type NamespaceValue = { readonly cluster: string | undefined; readonly namespace: string };

/** The value in the one way in which it is written; or what is wrong with it, as a clause that goes on after the value. */
export type CheckedValue = { readonly text: string } | { readonly problem: string };

/** Whether the text is a value of the parameter, within its bounds. */
export function checkValue(parameter: ParameterType, text: string): CheckedValue {
  switch (parameter.type) {
    case "workload":
      return checkWorkload(text);
    case "namespace":
      return checkNamespace(text);
    case "port":
      return checkPort(parameter, text);
    case "cidr":
      return checkCidr(parameter, text);
    case "choice":
      return checkChoice(parameter.oneOf, text);
  }
}

/** `[cluster:]namespace/[kind/]name`, the kind as kubectl takes it; undefined where the text is not of that form. */
export function parseWorkloadValue(text: string): WorkloadValue | undefined {
  const { cluster, rest } = splitCluster(text);
  const parts = rest.split("/");
  const [namespace = "", name = ""] = [parts[0], parts.at(-1)];
  if (parts.length < 2 || parts.length > 3 || !isPlace(cluster, namespace)) return undefined;
  if (!isPodNamePrefix(name) || /[-.]$/.test(name)) return undefined;
  const kind = workloadKinds.find((one) => isKind((parts[1] ?? "").toLowerCase(), one));
  if (parts.length === 3 && kind === undefined) return undefined;
  return { cluster, namespace, kind: parts.length === 3 ? kind : undefined, name };
}

/** `[cluster:]namespace`; undefined where the text is not of that form. */
export function parseNamespaceValue(text: string): NamespaceValue | undefined {
  const { cluster, rest: namespace } = splitCluster(text);
  return isPlace(cluster, namespace) ? { cluster, namespace } : undefined;
}

/** `payments/deployment/checkout`, without the cluster. */
export function workloadText({ namespace, kind, name }: Omit<WorkloadValue, "cluster">): string {
  return kind === undefined ? `${namespace}/${name}` : `${namespace}/${kind.toLowerCase()}/${name}`;
}

function checkWorkload(text: string): CheckedValue {
  const value = parseWorkloadValue(text);
  if (value !== undefined) return { text: inCluster(value.cluster, workloadText(value)) };
  const [, kind = "", ...names] = splitCluster(text).rest.split("/");
  if (names.length === 1 && isKind(kind.toLowerCase(), "Pod")) {
    return { problem: "is a pod, which no policy can select by its name: name its workload" };
  }
  return { problem: `is no workload: namespace/name or namespace/kind/name, where kind is ${kinds}` };
}

const kinds = workloadKinds.map((kind) => kind.toLowerCase()).join(", ");

function checkNamespace(text: string): CheckedValue {
  const value = parseNamespaceValue(text);
  return value === undefined
    ? { problem: "is no namespace's name" }
    : { text: inCluster(value.cluster, value.namespace) };
}

function checkPort({ min = 1, max = 65_535, oneOf }: PortParameter, text: string): CheckedValue {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) return { problem: "is no port, a number from 1 to 65535" };
  if (oneOf !== undefined) return oneOf.includes(port) ? { text } : { problem: `is not one of ${oneOf.join(", ")}` };
  return min <= port && port <= max ? { text } : { problem: `is not between ${min} and ${max}` };
}

function checkCidr({ widest, within }: CidrParameter, text: string): CheckedValue {
  const cidr = parseExactCidr(text);
  if ("problem" in cidr) return cidr;
  const most = widest[cidr.family];
  const family = cidr.family === "ipv4" ? "IPv4" : "IPv6";
  if (cidr.length === 0) return { problem: `is every ${family} address there is` };
  if (most === undefined) return { problem: `is ${family}, which this parameter does not take` };
  if (cidr.length < most) return { problem: `is wider than /${most}, the widest ${family} block that may be opened` };
  const problem = outside(cidr, within) ?? reserved(cidr, within);
  return problem === undefined ? { text: formatCidr(cidr) } : { problem };
}

function outside(cidr: Cidr, within: readonly string[] | undefined): string | undefined {
  if (within === undefined || within.some((text) => containsCidr(knownCidr(text), cidr))) return undefined;
  return `is not within ${within.join(", ")}`;
}

/** For an emergency nobody means these; a template that does names a part of them in `within`, not only what is around. */
function reserved(cidr: Cidr, within: readonly string[] = []): string | undefined {
  const found = reservedBlocks.find(({ block }) => {
    const special = knownCidr(block);
    const isMeant = within.map(knownCidr).some((one) => containsCidr(special, one) && containsCidr(one, cidr));
    return overlaps(special, cidr) && !isMeant;
  });
  return found && `holds addresses of ${found.block} (${found.what})`;
}

/** IANA's special-purpose address registries; the last is where EC2 answers for credentials by IPv6. */
const reservedBlocks = [
  { block: "0.0.0.0/8", what: "this network" },
  { block: "127.0.0.0/8", what: "loopback" },
  { block: "169.254.0.0/16", what: "link-local, where clouds hand out credentials" },
  { block: "224.0.0.0/3", what: "multicast and reserved" },
  { block: "::/127", what: "loopback" },
  { block: "fe80::/10", what: "link-local" },
  { block: "ff00::/8", what: "multicast" },
  { block: "64:ff9b::a9fe:0/112", what: "link-local through NAT64, where clouds hand out credentials" },
  { block: "fd00:ec2::/64", what: "where clouds hand out credentials" },
];

function checkChoice(oneOf: readonly string[], text: string): CheckedValue {
  return oneOf.includes(text)
    ? { text }
    : { problem: `is not one of ${oneOf.join(", ")}.${didYouMean(text, oneOf)}`.replace(/\.$/, "") };
}

/** A block of a list that was checked when it was read. */
function knownCidr(text: string): Cidr {
  const cidr = parseExactCidr(text);
  if ("problem" in cidr) throw new TypeError(`${text} ${cidr.problem}`);
  return cidr;
}

function isPlace(cluster: string | undefined, namespace: string): boolean {
  return (cluster === undefined || isClusterName(cluster)) && isNamespaceName(namespace);
}

function inCluster(cluster: string | undefined, text: string): string {
  return cluster === undefined ? text : `${cluster}:${text}`;
}
