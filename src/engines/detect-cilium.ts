import type { ConfigMapData, EngineEvidence, Reading } from "../policy/evidence.ts";
import { marks } from "../policy/marks.ts";
import {
  all,
  enforced,
  flag,
  flagValue,
  type Judgement,
  notEnforced,
  type Plugin,
  running,
  type Seen,
  unknown,
} from "./judgement.ts";

/**
 * Cilium (facts: network-policy §2.2, §2.3): its DaemonSet, and the switches of cilium-config, over which flags of the
 * agent count.
 */
export function detectCilium({ configMaps, ciliumNodeConfigs }: EngineEvidence, seen: Seen): Plugin {
  const config = settingsOf(configMaps["cilium-config"]);
  const setting = (name: string): string | undefined =>
    flag(seen, name) ?? (config.read ? config.value[name] : undefined);
  const base = all(running("Cilium", seen), ofNodes(ciliumNodeConfigs), ...switches(config, setting));
  const isGke = seen.agents.some(({ name }) => name === "anetd");
  return {
    name: "Cilium",
    wires: true,
    judgements: {
      cilium: all(isGke ? gke : base, onUnless(setting, "enable-cilium-network-policy"), base),
      networkpolicy: all(onUnless(setting, "enable-k8s-networkpolicy"), base),
      "cluster-network-policy": all(clusterNetworkPolicy(setting("enable-k8s-cluster-network-policy")), base),
    },
    openConnections: "partly",
    simulated: {
      engine: "cilium",
      ipBlockMatchesPods: config.read ? /\bpods\b/.test(setting("policy-cidr-match-mode") ?? "") : "unknown",
    },
  };
}

type Setting = (name: string) => string | undefined;

/** GKE Dataplane V2 is Cilium, and which of its policies Google lets through depends on the version. */
const gke = unknown("This is GKE Dataplane V2, which does not offer CiliumNetworkPolicy in every version.");

function settingsOf(reading: Reading<ConfigMapData | undefined> | undefined): Reading<ConfigMapData> {
  if (reading === undefined) return { read: false, why: "it was not looked for" };
  if (!reading.read) return reading;
  return reading.value === undefined
    ? { read: false, why: "it is not beside the agent" }
    : { read: true, value: reading.value };
}

function switches(config: Reading<ConfigMapData>, setting: Setting): readonly Judgement[] {
  const mode = setting("enable-policy");
  if (mode?.toLowerCase() === "never") return [notEnforced("Cilium enforces no policy: enable-policy is never.")];
  const audits = flagValue(setting("policy-audit-mode"));
  if (audits === true) return [notEnforced("Cilium only records what it would deny: policy-audit-mode is on.")];
  if (!config.read)
    return [unknown(`Whether Cilium enforces is not known, cilium-config could not be read: ${config.why}`)];
  return [
    quarantineLabel(setting),
    enforced("Cilium's agent is ready, and nothing in cilium-config turns enforcement off."),
  ];
}

const switchNames = [
  "enable-policy",
  "policy-audit-mode",
  "labels",
  "label-prefix-file",
  "enable-k8s-networkpolicy",
  "enable-cilium-network-policy",
  "enable-k8s-cluster-network-policy",
];

/** Which nodes a CiliumNodeConfig selects is not looked at: one that touches a switch leaves all of them open. */
function ofNodes(configs: EngineEvidence["ciliumNodeConfigs"]): Judgement {
  if (!configs.read) return unknown(`What is set for single nodes of Cilium could not be read: ${configs.why}`);
  const touching = configs.value.find(({ defaults }) => switchNames.some((name) => Object.hasOwn(defaults, name)));
  return touching === undefined
    ? enforced("No node is set otherwise.")
    : unknown(`CiliumNodeConfig ${touching.name} sets for some nodes what decides whether Cilium enforces.`);
}

/** Defaults to true where Cilium knows it. */
function onUnless(setting: Setting, name: string): Judgement {
  return flagValue(setting(name)) === false
    ? notEnforced(`Cilium leaves this API alone: ${name} is false.`)
    : enforced(`${name} is not off.`);
}

function clusterNetworkPolicy(value: string | undefined): Judgement {
  return flagValue(value) === true
    ? enforced("enable-k8s-cluster-network-policy is on.")
    : notEnforced("Cilium leaves ClusterNetworkPolicy alone: enable-k8s-cluster-network-policy is not on.");
}

/**
 * Identities are made of labels that pass the filter `labels`; a label that does not pass selects nothing, in any
 * policy (Cilium docs, Limiting Identity-Relevant Labels). A file of patterns lies on the node and cannot be read.
 */
function quarantineLabel(setting: Setting): Judgement {
  if ((setting("label-prefix-file") ?? "") !== "") {
    return unknown(`Cilium reads from a file which labels count (label-prefix-file): ${marks.quarantine} may not.`);
  }
  const verdict = passes((setting("labels") ?? "").split(/\s+/).filter(Boolean));
  if (verdict === "yes") return enforced("The quarantine label counts.");
  return verdict === "no"
    ? notEnforced(`Cilium's setting labels leaves ${marks.quarantine} out of identities: no policy selects by it.`)
    : unknown(`Whether Cilium's setting labels lets ${marks.quarantine} count is not known.`);
}

/**
 * A pattern is `source:!expression`, source and `!` optional, matched from the key's beginning. The shortest exclusion
 * and the longest inclusion count; with any inclusion, only what is included passes. Expressions beyond letters, dots
 * and a closing `.*` are not evaluated: who can write them could make evaluating them endless.
 */
function passes(patterns: readonly string[]): "yes" | "no" | "unknown" {
  const rules = patterns.map((pattern) => {
    const [, source = "", not = "", expression = ""] = /^(?:([^:]*):)?(!?)(.*)$/s.exec(pattern) ?? [];
    return { source, excludes: not === "!", expression };
  });
  const own = rules.filter(({ source }) => source === "" || source === "k8s" || source === "any");
  const literals = own.map(({ expression, ...rest }) => ({ ...rest, length: matchLength(expression) }));
  if (literals.some(({ length }) => length === undefined)) return "unknown";
  const lengths = (excludes: boolean) =>
    literals.flatMap((each) => (each.excludes === excludes && each.length ? [each.length] : []));
  const included = Math.max(0, ...lengths(false));
  const excluded = Math.min(Number.POSITIVE_INFINITY, ...lengths(true));
  const needsInclusion = rules.some(({ excludes }) => !excludes);
  if (needsInclusion && included === 0) return "no";
  return excluded === Number.POSITIVE_INFINITY || included > excluded ? "yes" : "no";
}

/** How much of the quarantine label's key it matches; 0 for none, undefined where that is not evaluated. */
function matchLength(expression: string): number | undefined {
  const open = /(\.\*|\.\+)\$?$/.test(expression);
  const body = expression.replace(/^\^/, "").replace(/(\.\*|\.\+)?\$?$/, "");
  if (!/^(?:[A-Za-z0-9_/.-]|\\[./-])*$/.test(body)) return undefined;
  const wanted = body.replace(/\\(.)/g, "\u0000$1");
  const key: string = marks.quarantine;
  let at = 0;
  for (let i = 0; i < wanted.length; i += 1, at += 1) {
    const isEscaped = wanted[i] === "\u0000";
    const letter = isEscaped ? wanted[++i] : wanted[i];
    if (at >= key.length || (letter !== key[at] && (isEscaped || letter !== "."))) return 0;
  }
  if (expression.endsWith("$") && !open && at < key.length) return 0;
  return open ? key.length : at;
}
