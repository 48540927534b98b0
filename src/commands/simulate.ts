import type { Simulator } from "../simulator/compile.ts";
import type { Party } from "../simulator/connections.ts";
import { decide, type Endpoint } from "../simulator/decide.ts";
import { type PortSet, portsByProtocol, protocols } from "../simulator/ports.ts";
import { type ConnectionRow, connectionRows, portWords, section, workloadName } from "./connection-rows.ts";
import { policyName, reasonWords } from "./explain-words.ts";

type Undecided = { readonly row: ConnectionRow; readonly because: readonly string[] };

type Simulation = {
  readonly open: readonly ConnectionRow[];
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
  const simulation = {
    open: rows.filter(({ connection }) => connection.allow.length > 0),
    undecided: rows
      .filter(({ connection }) => connection.undecided.length > 0)
      .map((row) => ({ row, because: reasonsOf(simulator, row) })),
    notEvaluated: simulator.policies.flatMap(({ reference, notEvaluated }) =>
      notEvaluated.map((what) => ({ policy: policyName(reference), what })),
    ),
    warnings: [...warnings, ...simulator.warnings],
  };
  return output === "json" ? `${JSON.stringify(json(simulation))}\n` : `${text(simulation).join("\n")}\n`;
}

function json({ open, undecided, notEvaluated, warnings }: Simulation): object {
  return {
    connections: open.map(({ from, to, connection }) => ({ from, to, allow: portsByProtocol(connection.allow) })),
    ...(undecided.length > 0 ? { undecided: undecided.map(undecidedJson) } : {}),
    ...(notEvaluated.length > 0 ? { notEvaluated } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

function undecidedJson({ row: { from, to, connection }, because }: Undecided): object {
  return { from, to, allow: portsByProtocol(connection.undecided), because };
}

function text({ open, undecided, notEvaluated, warnings }: Simulation): readonly string[] {
  const lines = open.map((row) => rowText(row, row.connection.allow));
  const perhaps = undecided.flatMap(({ row, because }) => [
    rowText(row, row.connection.undecided),
    ...because.map((reason) => `    ${reason}`),
  ]);
  return [
    ...(lines.length === 0 ? ["Nothing can surely connect to anything."] : lines),
    ...section("Undecided (what is not evaluated decides):", perhaps),
    ...section(
      "Not evaluated:",
      notEvaluated.map(({ policy, what }) => `${policy}: ${what}`),
    ),
    ...section("Warnings:", warnings),
  ];
}

function rowText({ from, to }: ConnectionRow, ports: PortSet): string {
  return `${from} → ${to}  ${portWords(ports)}`;
}

/** Why a row is undecided: its first port is asked anew, since rows carry no reasons. */
function reasonsOf(simulator: Simulator, { connection }: ConnectionRow): readonly string[] {
  const [from, to] = [endpointOf(simulator, connection.from), endpointOf(simulator, connection.to)];
  const [asked] = protocols.flatMap((protocol) => {
    const [first] = portsByProtocol(connection.undecided)[protocol] ?? [];
    return first === undefined ? [] : [{ protocol, port: first[0] }];
  });
  if (asked === undefined || from === undefined || to === undefined) return [];
  const { egress, ingress } = decide(simulator, { from, to, ...asked });
  const open = [egress, ingress].filter(({ verdict }) => verdict === "undecided");
  return [...new Set(open.flatMap(({ because }) => because.map((reason) => reasonWords(reason))))];
}

/** The pod that stands for a workload, or the first address of a range. */
function endpointOf({ snapshot }: Simulator, party: Party): Endpoint | undefined {
  if (party.kind === "range") return { kind: "external", address: party.range.split("-")[0] ?? "" };
  const pod = snapshot.pods.find((each) => workloadName(each.workload) === workloadName(party.workload));
  return pod === undefined ? undefined : { kind: "pod", pod };
}
