import { didYouMean } from "../policy/suggest.ts";
import { isClusterName, parsePodReference } from "../policy/target.ts";
import { parseAddress } from "../simulator/addresses.ts";
import type { Command, End } from "./command.ts";

type Explain = Extract<Command, { kind: "explain" }>;
type Problem = { readonly kind: "usage"; readonly problem: string; readonly topic: "explain" };

/** `A → B:port[/protocol]`, with `->` or `to` for the arrow, or `--from A --to B --port N [--protocol P]`. */
export function parseExplain(words: readonly string[]): Explain | Problem {
  const asked = words.some((word) => word.startsWith("--") && !isArrow(word)) ? fromFlags(words) : fromArrow(words);
  if (typeof asked === "string") return problem(asked);
  const [from, to] = [parseEnd(asked.from), parseEnd(asked.to)];
  if (from === undefined) return problem(notAnEnd(asked.from));
  if (to === undefined) return problem(notAnEnd(asked.to));
  const port = portOf(asked.port);
  if (port === undefined) return problem(`"${shown(asked.port)}" is no port from 1 to 65535.`);
  const protocol = protocolOf(asked.protocol);
  if (protocol === undefined) return problem(`"${shown(asked.protocol)}" is none of TCP, UDP and SCTP.`);
  if (from.end.kind === "address" && to.end.kind === "address")
    return problem(
      "Both ends are addresses: policies act on pods, so one end has to be a pod, a workload or a Service.",
    );
  const clusters = new Set([from.cluster, to.cluster].filter((cluster) => cluster !== undefined));
  if (clusters.size > 1) return problem("Both ends have to be in one cluster.");
  const [cluster] = clusters;
  return { kind: "explain", cluster, from: from.end, to: to.end, port, protocol };
}

type Asked = { readonly from: string; readonly to: string; readonly port: string; readonly protocol: string };

function isArrow(word: string): boolean {
  return /^-+(>|&gt;)$/.test(word);
}

/** Names have at most 253 characters; patterns below would take long over what is far longer. */
const longest = 1_000;

/** Slack writes `>` as an entity. */
const arrow = /\s*(?:→|[-=]+(?:>|&gt;))\s*|\s+to\s+/i;

function fromArrow(words: readonly string[]): Asked | string {
  const text = words.join(" ").trim();
  if (text.length > longest) return "That is longer than any two names are.";
  const [from = "", to = "", ...more] = text.split(arrow);
  if (from === "" || to === "" || more.length > 0)
    return "From where, to where? Write both, with an arrow between them.";
  const target = splitTarget(to);
  return typeof target === "string" ? target : { from, ...target };
}

function splitTarget(text: string): Omit<Asked, "from"> | string {
  const { to, port, protocol = "TCP" } = /^(?<to>.+):(?<port>\d+)(?:\/(?<protocol>[a-z]+))?$/i.exec(text)?.groups ?? {};
  const isBareIPv6 = to?.includes("::") === true && !to.endsWith("]");
  if (to === undefined || port === undefined || isBareIPv6)
    return `"${shown(text)}" names no port: write it after a colon, as in db/postgres:5432, and an IPv6 address in [brackets].`;
  return { to, port, protocol };
}

const flags = ["--from", "--to", "--port", "--protocol"] as const;

function fromFlags(words: readonly string[]): Asked | string {
  const given = new Map<string, string>();
  for (let i = 0; i < words.length; i += 2) {
    const [flag = "", value] = words.slice(i, i + 2);
    if (!flags.some((known) => known === flag)) {
      const hint = flag.startsWith("--") ? didYouMean(flag.slice(0, 40), flags) : "";
      return `"${shown(flag)}" is no option of explain.${hint}`;
    }
    if (value === undefined || value.startsWith("--")) return `${flag} needs a value.`;
    if (given.has(flag)) return `${flag} is given twice.`;
    given.set(flag, value);
  }
  const [from, to, port] = [given.get("--from"), given.get("--to"), given.get("--port")];
  if (from === undefined || to === undefined || port === undefined) return "It needs --from, --to and --port.";
  return { from, to, port, protocol: given.get("--protocol") ?? "TCP" };
}

/** `payments/checkout`, `payments/deployment/checkout`, `prod-eu:payments/checkout`, `10.0.0.1`, `[2001:db8::1]`, `prod-eu:10.0.0.1`. */
function parseEnd(text: string): { readonly cluster: string | undefined; readonly end: End } | undefined {
  const address = addressIn(text);
  if (address !== undefined) return { cluster: undefined, end: { kind: "address", address } };
  const colon = text.indexOf(":");
  const there = colon < 0 ? undefined : addressIn(text.slice(colon + 1));
  const cluster = text.slice(0, Math.max(colon, 0));
  if (there !== undefined && isClusterName(cluster)) return { cluster, end: { kind: "address", address: there } };
  const [, before = "", of, name] = /^([^/]*)\/([a-z]+)\/([^/]+)$/i.exec(text) ?? [];
  const named = parsePodReference(of === undefined ? text : `${before}/${name}`);
  if (named === undefined) return undefined;
  const { namespace, pod } = named;
  return { cluster: named.cluster, end: { kind: "named", namespace, of: of?.toLowerCase(), name: pod } };
}

function addressIn(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  return parseAddress(bare) === undefined ? undefined : bare;
}

function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function protocolOf(text: string): Explain["protocol"] | undefined {
  return (["TCP", "UDP", "SCTP"] as const).find((protocol) => protocol === text.toUpperCase());
}

function notAnEnd(text: string): string {
  return `"${shown(text)}" is neither of the form namespace/name nor cluster:namespace/name nor an IP address.`;
}

function shown(text: string): string {
  return text.slice(0, 80);
}

function problem(text: string): Problem {
  return { kind: "usage", problem: text, topic: "explain" };
}
