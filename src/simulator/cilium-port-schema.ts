import { z } from "zod";
import { domainName } from "./cilium-peer-schema.ts";
import { fields } from "./fields.ts";

/** The L4 part of a Cilium rule, and the L7 part below it (cilium: pkg/policy/api, l4.go, rule_validation.go). */

/** Protocols without ports need a switch of the agent, `enable-extended-ip-protocols`. */
const portless = ["ICMP", "ICMPv6", "VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH"] as const;

const port = fields({
  port: z.string().refine(isPort, "is no port: 0 to 65535, or a name of at most 15 characters").exactOptional(),
  endPort: z.int().min(0).max(65_535).exactOptional(),
  protocol: z.enum(["TCP", "UDP", "SCTP", "ANY", ...portless]).exactOptional(),
}).superRefine(checkPort);

export type CiliumPort = z.infer<typeof port>;

const ports = z.array(port).max(40).exactOptional();

const secret = fields({ name: z.string(), namespace: z.string().exactOptional() });

const tls = fields({
  secret,
  trustedCA: z.string().exactOptional(),
  certificate: z.string().exactOptional(),
  privateKey: z.string().exactOptional(),
}).exactOptional();

const text = z.string().exactOptional();

const http = fields({
  path: text,
  method: text,
  host: text,
  headers: z.array(z.string()).exactOptional(),
  headerMatches: z
    .array(fields({ name: z.string(), value: text, mismatch: text, secret: secret.exactOptional() }))
    .exactOptional(),
});

const kafka = fields({ role: text, apiKey: text, apiVersion: text, clientID: text, topic: text });

const l7 = fields({
  http: z.array(http).exactOptional(),
  kafka: z.array(kafka).exactOptional(),
  dns: z.array(domainName).exactOptional(),
  l7proto: text,
  l7: z.array(z.record(z.string(), z.string())).exactOptional(),
}).superRefine(isOfOneKind);

export type CiliumL7 = z.infer<typeof l7>;

const listener = fields({
  envoyConfig: fields({ kind: text, name: z.string() }),
  name: z.string(),
  priority: z.int().exactOptional(),
});

const portRule = fields({
  ports,
  terminatingTLS: tls,
  originatingTLS: tls,
  serverNames: z.array(z.string().min(1)).exactOptional(),
  listener: listener.exactOptional(),
  rules: l7.exactOptional(),
}).superRefine(fitsItsPorts);

export type PortRule = z.infer<typeof portRule>;

export const egressPorts = z.array(portRule).exactOptional();

export const ingressPorts = z
  .array(
    portRule.superRefine(({ rules, listener: redirect }, context) => {
      if ((rules?.dns ?? []).length > 0)
        context.addIssue({ code: "custom", path: ["rules", "dns"], message: "is for egress only" });
      if (redirect !== undefined)
        context.addIssue({ code: "custom", path: ["listener"], message: "is for egress only" });
    }),
  )
  .exactOptional();

/** Deny rules know no L7. */
export const denyPorts = z.array(fields({ ports })).exactOptional();

/** As the CRD's pattern and IANA's service names have it; a leading zero would be read as octal. */
function isPort(value: string): boolean {
  if (/^\d+$/.test(value)) return /^(0|[1-9]\d{0,4})$/.test(value) && Number(value) <= 65_535;
  return value.length <= 15 && /^[a-zA-Z0-9](-?[a-zA-Z0-9])*$/.test(value);
}

function checkPort({ port: first, endPort = 0, protocol = "ANY" }: CiliumPort, context: z.RefinementCtx): void {
  const without = portless.some((each) => each === protocol);
  if (first === undefined && !without) context.addIssue({ code: "custom", path: ["port"], message: "is missing" });
  if (first !== undefined && first !== "0" && without)
    context.addIssue({ code: "custom", path: ["port"], message: `must be absent or 0 with ${protocol}` });
  if (first !== undefined && endPort > 0 && Number(first) > endPort)
    context.addIssue({ code: "custom", path: ["endPort"], message: `must be at least the port, ${first}` });
}

function isOfOneKind(rules: CiliumL7, context: z.RefinementCtx): void {
  const kinds = (["http", "kafka", "dns", "l7proto"] as const).filter((kind) => rules[kind] !== undefined);
  if (kinds.length > 1)
    context.addIssue({ code: "custom", message: `has ${kinds.join(" and ")}; only one may be there` });
  if (rules.l7 !== undefined && rules.l7proto === undefined)
    context.addIssue({ code: "custom", path: ["l7"], message: "needs l7proto beside it" });
}

function fitsItsPorts({ ports: given = [], rules, listener: redirect }: PortRule, context: z.RefinementCtx): void {
  if (rules === undefined || Object.keys(rules).length === 0) return;
  const dns = (rules.dns ?? []).length > 0;
  if (redirect !== undefined)
    context.addIssue({ code: "custom", path: ["listener"], message: "cannot stand beside rules" });
  for (const [index, { port: first, protocol = "ANY" }] of given.entries()) {
    if (first === "0")
      context.addIssue({ code: "custom", path: ["ports", index, "port"], message: "must not be 0 with L7 rules" });
    if (!dns && protocol !== "TCP")
      context.addIssue({ code: "custom", path: ["ports", index, "protocol"], message: "must be TCP with L7 rules" });
  }
}
