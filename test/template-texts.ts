/** A template's text that is fine, of which tests break one thing. Its name is `egress-to-cidr`. */
export const goodText = `version: 1
name: egress-to-cidr
title: Open egress to one CIDR
when: A dependency moved to addresses that no policy knows yet.
owner: platform-network
procedure: egress-to-cidr.md
parameters:
  workload: { type: workload, about: whose pods may connect }
  cidr: { type: cidr, widest: { ipv4: 24, ipv6: 64 }, about: where to }
  port: { type: port, default: 443, oneOf: [443, 8443], about: the port there }
opens:
  - { from: { workload: $workload }, to: { cidr: $cidr }, ports: [{ port: $port, protocol: TCP }] }
ttl: { default: 30m, max: 4h, total: 12h }
where: { namespaces: ["*"], clusters: ["*"] }
approvals: { count: 0 }
review: false
`;

/** With one part of it replaced; throws where the part is not there, so that no test breaks nothing. */
export function withPart(part: string, replacement: string, text = goodText): string {
  if (!text.includes(part)) throw new Error(`${part} is not in the template`);
  return text.replace(part, () => replacement);
}
