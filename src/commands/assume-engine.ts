import type { EngineName, Settings } from "../simulator/snapshot.ts";

/** Which engine is taken to enforce, and why, in sentences. */
export type AssumedEngine = { readonly settings: Settings; readonly words: string };

const engines: readonly { readonly engine: EngineName; readonly name: string; readonly groups: readonly string[] }[] = [
  { engine: "cilium", name: "Cilium", groups: ["cilium.io"] },
  { engine: "calico", name: "Calico", groups: ["crd.projectcalico.org", "projectcalico.org"] },
  { engine: "antrea", name: "Antrea", groups: ["crd.antrea.io"] },
];

/**
 * By the API groups that the cluster serves: an engine that was taken out may have left its behind, so it is an
 * assumption. No group at all: the cluster did not tell them. Whether ipBlock matches pods: facts, network-policy §1.
 */
export function assumeEngine(groups: readonly string[]): AssumedEngine {
  const present = engines.filter((each) => each.groups.some((group) => groups.includes(group)));
  const [only, ...others] = present;
  if (only === undefined || others.length > 0) {
    const settings = { engine: undefined, ipBlockMatchesPods: "unknown" } as const;
    return {
      settings,
      words: `${unknown(
        groups,
        present.map(({ name }) => name),
      )} Where engines differ, both readings are evaluated.`,
    };
  }
  const { engine, name } = only;
  const served = only.groups.filter((group) => groups.includes(group)).join(" and ");
  const ipBlock =
    engine === "cilium"
      ? "ipBlock is taken not to match pods, which is its default (policy-cidr-match-mode): its configuration was not read."
      : "There ipBlock matches pods by their addresses, too.";
  return {
    settings: { engine, ipBlockMatchesPods: engine !== "cilium" },
    words: `${name} is assumed to enforce, since the cluster serves ${served}. ${ipBlock}`,
  };
}

function unknown(groups: readonly string[], names: readonly string[]): string {
  if (groups.length === 0) return "Which network plugin enforces is not known: the list of its APIs was not read.";
  return names.length === 0
    ? "Which network plugin enforces is not known: the cluster serves no API of Cilium, Calico or Antrea."
    : `The cluster serves APIs of ${names.join(" and ")}: which of them enforces is not known.`;
}
