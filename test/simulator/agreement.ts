import { compile } from "../../src/simulator/compile.ts";
import { decide, type Endpoint, type Traffic } from "../../src/simulator/decide.ts";
import type { Protocol } from "../../src/simulator/model.ts";
import { type Connection, naiveEvaluator, type Party } from "./naive.ts";
import { anywhere, type Case } from "./random-cluster.ts";

/** Where the two evaluators differ: one line for each connection, in words. */
export function disagreements({ cluster, connections, ipBlockMatchesPods }: Case): readonly string[] {
  const simulator = compile(cluster, { engine: undefined, ipBlockMatchesPods });
  const ask = naiveEvaluator(cluster, ipBlockMatchesPods, anywhere);
  const unreadable = simulator.problems.map(({ object, problems }) => `${object.name}: ${JSON.stringify(problems)}`);
  const differing = connections.flatMap((connection) => {
    const { verdicts, readings } = ask(connection);
    const { verdict } = decide(simulator, trafficOf(connection));
    const [only] = verdicts;
    const expected = verdicts.size > 1 ? "undecided" : only;
    // Each rule is judged by itself over families, readings and addresses: that they are tied together is not followed up.
    if (verdict === expected || (verdict === "undecided" && readings > 1)) return [];
    return [`${describe(connection)}: ${verdict} instead of ${expected}`];
  });
  return [...unreadable, ...differing];
}

export function trafficOf({ from, to, protocol, port }: Connection): Traffic {
  return { from: endpointOf(from), to: endpointOf(to), protocol: protocol as Protocol, port };
}

function endpointOf(party: Party): Endpoint {
  return "external" in party ? { kind: "external", address: party.external } : { kind: "pod", pod: party };
}

function describe({ from, to, protocol, port }: Connection): string {
  const [source, destination] = [from, to].map((party) => ("external" in party ? party.external : party.name));
  return `${source} to ${destination} ${protocol} ${port}`;
}
