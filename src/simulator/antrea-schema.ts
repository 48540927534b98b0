import { z } from "zod";
import { covers, parseCidr } from "./addresses.ts";
import { exactlyOne, fields } from "./fields.ts";
import { cidr, labelSelector, portName, portNumber, protocol } from "./selector-schema.ts";

/** What ClusterNetworkPolicy and NetworkPolicy of crd.antrea.io/v1beta1 share, as Antrea's CRDs and its webhook accept it. */

const name = z.string().min(1);
const selector = labelSelector.exactOptional();

/** A ServiceAccount or a Service. */
const named = fields({ name, namespace: name });

export const ipBlock = fields({ cidr, except: z.array(cidr).exactOptional() }).superRefine((block, context) => {
  for (const [index, except] of (block.except ?? []).entries()) {
    const [whole, part] = [parseCidr(block.cidr), parseCidr(except)];
    if (whole === undefined || part === undefined || (covers(whole, part) && !covers(part, whole))) continue;
    const message = `must lie inside ${block.cidr}, and be smaller`;
    context.addIssue({ code: "custom", path: ["except", index], message });
  }
});

const port = fields({
  protocol: protocol.exactOptional(),
  port: z.union([portNumber, portName]).exactOptional(),
  endPort: portNumber.exactOptional(),
  sourcePort: portNumber.exactOptional(),
  sourceEndPort: portNumber.exactOptional(),
}).superRefine(({ port: first, endPort, sourcePort, sourceEndPort }, context) => {
  const say = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
  if (endPort !== undefined && typeof first !== "number") say("endPort", "needs a port that is a number");
  else if (endPort !== undefined && endPort < Number(first)) say("endPort", `must be at least the port, ${first}`);
  if (sourceEndPort === undefined) return;
  if (sourcePort === undefined) say("sourceEndPort", "needs a sourcePort");
  else if (sourceEndPort < sourcePort) say("sourceEndPort", `must be at least the sourcePort, ${sourcePort}`);
});

const byte = z.int().min(0).max(255);
const layer3 = fields({
  icmp: fields({ icmpType: byte.exactOptional(), icmpCode: byte.exactOptional() }).exactOptional(),
  igmp: fields({ igmpType: byte.exactOptional(), groupAddress: z.string().exactOptional() }).exactOptional(),
}).superRefine(exactlyOne(["icmp", "igmp"]));

const text = z.string().exactOptional();
const layer7 = fields({
  http: fields({ host: text, method: text, path: text }).exactOptional(),
  tls: fields({ sni: text }).exactOptional(),
}).superRefine(exactlyOne(["http", "tls"]));

const pods = { podSelector: selector, externalEntitySelector: selector };
const clusterAppliedTo = fields({
  ...pods,
  namespaceSelector: selector,
  group: name.exactOptional(),
  serviceAccount: named.exactOptional(),
  service: named.exactOptional(),
  nodeSelector: selector,
}).superRefine(alone(["group", "serviceAccount", "service", "nodeSelector"]));

const namespacedAppliedTo = fields({ ...pods, group: name.exactOptional() }).superRefine(alone(["group"]));

const peer = {
  ...pods,
  namespaceSelector: selector,
  ipBlock: ipBlock.exactOptional(),
  group: name.exactOptional(),
  nodeSelector: selector,
  scope: z.enum(["Cluster", "ClusterSet"]).exactOptional(),
};
const clusterPeer = {
  ...peer,
  serviceAccount: named.exactOptional(),
  namespaces: fields({
    match: z.enum(["Self"]).exactOptional(),
    sameLabels: z.array(name).min(1).exactOptional(),
  })
    .superRefine(exactlyOne(["match", "sameLabels"]))
    .exactOptional(),
};
const fqdn = z.string().regex(/^[-0-9a-zA-Z.*]+$/, "is no domain name, with or without *");
const to = { fqdn: fqdn.exactOptional() };
const single = ["ipBlock", "group", "nodeSelector", "serviceAccount", "fqdn"];

/** `namespaces` and `namespaceSelector` are two ways to say one thing. */
function peerOf<Shape extends z.core.$ZodShape>(shape: Shape) {
  return fields(shape)
    .superRefine(alone(single))
    .superRefine((value: object, context) => {
      if (!Object.hasOwn(value, "namespaces") || !Object.hasOwn(value, "namespaceSelector")) return;
      context.addIssue({ code: "custom", path: ["namespaces"], message: "must not be beside namespaceSelector" });
    });
}

const rule = {
  action: z.enum(["Allow", "Drop", "Reject", "Pass"]),
  ports: z.array(port).exactOptional(),
  protocols: z.array(layer3).exactOptional(),
  l7Protocols: z.array(layer7).exactOptional(),
  name: z.string().exactOptional(),
  enableLogging: z.boolean().exactOptional(),
  logLabel: z.string().exactOptional(),
};
const service = fields({
  name,
  namespace: name.exactOptional(),
  scope: z.enum(["Cluster", "ClusterSet"]).exactOptional(),
});
const toServices = z.array(service).exactOptional();

function specOf<AppliedTo extends z.ZodType, From extends z.ZodType, To extends z.ZodType>(
  appliedTo: AppliedTo,
  from: From,
  destination: To,
) {
  const shared = { ...rule, appliedTo: z.array(appliedTo).exactOptional() };
  return fields({
    tier: name.exactOptional(),
    priority: z.number().min(1).max(10_000),
    appliedTo: z.array(appliedTo).exactOptional(),
    ingress: z.array(fields({ ...shared, from: z.array(from).exactOptional() })).exactOptional(),
    egress: z.array(fields({ ...shared, to: z.array(destination).exactOptional(), toServices })).exactOptional(),
  });
}

export const clusterPolicySpec = specOf(clusterAppliedTo, peerOf(clusterPeer), peerOf({ ...clusterPeer, ...to }));
export const namespacedPolicySpec = specOf(namespacedAppliedTo, peerOf(peer), peerOf({ ...peer, ...to }));

export type AppliedTo = z.infer<typeof clusterAppliedTo>;
export type IpBlock = z.infer<typeof ipBlock>;
export type Port = z.infer<typeof port>;
export type ServiceName = z.infer<typeof service>;
/** Of either policy: what the namespaced one lacks is absent. */
export type AntreaSpec = z.infer<typeof clusterPolicySpec>;
type EgressRule = NonNullable<AntreaSpec["egress"]>[number];
export type Peer = NonNullable<EgressRule["to"]>[number];
/** Of either direction. */
export type AntreaRule = Omit<EgressRule, "to">;

function alone(names: readonly string[]) {
  return (value: object, context: z.RefinementCtx): void => {
    const given = Object.keys(value);
    const single = names.find((each) => given.includes(each));
    if (single === undefined || given.length === 1) return;
    context.addIssue({ code: "custom", path: [single], message: "must stand alone, without other fields beside it" });
  };
}
