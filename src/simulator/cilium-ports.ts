import type { CiliumL7, CiliumPort, PortRule } from "./cilium-port-schema.ts";
import type { PortTerm } from "./model.ts";
import { protocols } from "./ports.ts";

/** One entry of toPorts. */
export type PortPart = {
  readonly ports: readonly PortTerm[];
  /** Why what it says applies only perhaps: L7. */
  readonly maybe: string | undefined;
  /** What is not evaluated and does not bear on whether the connection is made. */
  readonly note: string | undefined;
};

/**
 * The ports of one entry of toPorts. ANY, which is the default, is TCP, UDP and SCTP; 0 is every port; a name is that of
 * a container's port, in any case; `endPort` is ignored beside a name (documentation: Layer 4 Policies; cilium:
 * pkg/policy/api/l4.go).
 */
export function partOf(entry: PortRule): PortPart {
  const { ports = [] } = entry;
  const l7 = l7Of(entry);
  if (ports.length === 0)
    return { ports: termsOf({}), maybe: "an entry without ports is not evaluated", note: undefined };
  const note = l7 === undefined && entry.rules !== undefined ? onlyProtocol(entry.rules) : undefined;
  return { ports: ports.flatMap(termsOf), maybe: l7, note };
}

function termsOf({ port = "0", endPort = 0, protocol = "ANY" }: CiliumPort): readonly PortTerm[] {
  const wanted = protocols.filter((each) => protocol === "ANY" || protocol === each);
  if (!/^\d+$/.test(port)) return wanted.map((each) => ({ protocol: each, name: port.toLowerCase() }));
  const first = Number(port);
  const range = first === 0 && endPort === 0 ? { from: 1, to: 65_535 } : { from: first, to: Math.max(first, endPort) };
  return wanted.map((each) => ({ protocol: each, ...range }));
}

function l7Of({
  rules = {},
  listener,
  serverNames = [],
  terminatingTLS,
  originatingTLS,
}: PortRule): string | undefined {
  if (listener !== undefined) return `traffic goes to the Envoy listener ${listener.name}, which is not evaluated`;
  if (serverNames.length > 0) return "serverNames: TLS names are not evaluated";
  if (terminatingTLS !== undefined || originatingTLS !== undefined) return "TLS contexts are not evaluated";
  const kind = (["http", "kafka", "dns"] as const).find((each) => (rules[each] ?? []).length > 0) ?? rules.l7proto;
  return kind === undefined || onlyProtocol(rules) !== undefined ? undefined : `L7 rules (${kind}) are not evaluated`;
}

/** Of rules that let all of their protocol through: `*` is every name, and an empty rule every request. */
function onlyProtocol({ http = [], dns = [] }: CiliumL7): string | undefined {
  if (dns.some(({ matchPattern }) => matchPattern === "*")) return "its proxy lets only DNS through";
  return http.some((rule) => Object.keys(rule).length === 0) ? "its proxy lets only HTTP through" : undefined;
}
