import type { Simulator } from "../simulator/compile.ts";
import type { Party } from "../simulator/connections.ts";
import { decide, type Endpoint, type Traffic } from "../simulator/decide.ts";
import { type PortSet, portsByProtocol, protocols } from "../simulator/ports.ts";
import { type ConnectionRow, connectionRows, portWords, section, workloadName } from "./connection-rows.ts";
import { policyName, reasonLines } from "./explain-words.ts";
import { type PortRow, portRows } from "./port-rows.ts";

type Undecided = { readonly row: PortRow; readonly because: readonly string[] };

type Simulation = {
  readonly open: readonly PortRow[];
  readonly undecided: readonly Undecided[];
  /** What policies use that is not evaluated, whomever they select. */
  readonly notEvaluated: readonly { readonly policy: string; readonly what: string }[];
  readonly warnings: readonly string[];
};

/**
 * All connections of a cluster, for people or as JSON: `connections`, and only where there is any, `undecided` (rows of
 * the same shape with their reasons), `notEvaluated` and `warnings`.
 */
export function simulate(simulator: Simulator, warnings: readonly string[], output: "text" | "json"): string {
  const rows = connectionRows(simulator);
  const reasonsOf = createReasons(simulator);
  const simulation = {
    open: portRows(rows, "allow"),
    undecided: portRows(rows, "undecided").map((row) => ({ row, because: reasonsOf(row) })),
    notEvaluated: simulator.policies.flatMap(({ reference, notEvaluated }) =>
      notEvaluated.map((what) => ({ policy: policyName(reference), what })),
    ),
    warnings,
  };
  return output === "json" ? `${JSON.stringify(json(simulation))}\n` : `${text(simulation).join("\n")}\n`;
}

function json({ open, undecided, notEvaluated, warnings }: Simulation): object {
  return {
    connections: open.map(rowJson),
    ...(undecided.length > 0 ? { undecided: undecided.map(({ row, because }) => ({ ...rowJson(row), because })) } : {}),
    ...(notEvaluated.length > 0 ? { notEvaluated } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

function rowJson({ from, to, ports }: PortRow): object {
  return { from, to, allow: portsByProtocol(ports) };
}

function text({ open, undecided, notEvaluated, warnings }: Simulation): readonly string[] {
  const perhaps = undecided.flatMap(({ row, because }) => [rowText(row), ...because.map((reason) => `    ${reason}`)]);
  const left = notEvaluated.map(({ policy, what }) => `${policy}: ${what}`);
  return [
    ...(open.length === 0 ? ["Nothing can surely connect to anything."] : open.map(rowText)),
    ...section("Undecided, and why:", perhaps),
    ...section("Not evaluated:", left),
    ...section("Warnings:", warnings),
  ];
}

function rowText({ from, to, ports }: PortRow): string {
  return `${from} → ${to}  ${portWords(ports)}`;
}

/** Why a row is undecided: its first port is asked anew, since rows carry no reasons. */
function createReasons(simulator: Simulator): (row: ConnectionRow) => readonly string[] {
  const pods = new Map(simulator.snapshot.pods.toReversed().map((pod) => [workloadName(pod.workload), pod]));
  /** The pod that stands for a workload, or the first address of a range. */
  const endpointOf = (party: Party): Endpoint | undefined => {
    if (party.kind === "range") return { kind: "external", address: party.range.split("-")[0] ?? "" };
    const pod = pods.get(workloadName(party.workload));
    return pod && { kind: "pod", pod };
  };
  return ({ connection }) => {
    const [from, to, asked] = [endpointOf(connection.from), endpointOf(connection.to), firstPort(connection.undecided)];
    if (asked === undefined || from === undefined || to === undefined) return [];
    const { egress, ingress } = decide(simulator, { from, to, ...asked });
    return [...new Set([egress, ingress].filter(({ verdict }) => verdict === "undecided").flatMap(reasonLines))];
  };
}

function firstPort(set: PortSet): Pick<Traffic, "protocol" | "port"> | undefined {
  const ranges = portsByProtocol(set);
  const protocol = protocols.find((each) => ranges[each] !== undefined);
  const [port] = (protocol && ranges[protocol]?.[0]) ?? [];
  return protocol === undefined || port === undefined ? undefined : { protocol, port };
}
