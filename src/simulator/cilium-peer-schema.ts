import { z } from "zod";
import { covers, parseCidr } from "./addresses.ts";
import { exactlyOne, fields } from "./fields.ts";
import { cidr, isLabelKey, labelSelector, selectorWithKeys } from "./selector-schema.ts";

/** The L3 part of a Cilium rule (cilium: pkg/policy/api, ingress.go, egress.go, cidr.go, entity.go). */

const entity = z.enum([
  "all",
  "world",
  "world-ipv4",
  "world-ipv6",
  "cluster",
  "host",
  "remote-node",
  "kube-apiserver",
  "health",
  "init",
  "ingress",
  "unmanaged",
  "none",
]);

export type Entity = z.infer<typeof entity>;

/** `k8s:app`, `any:app`, `reserved:host`; `app` is of any source. */
export const sourcedSelector = selectorWithKeys(
  z.string().refine(isSourcedKey, "is no label key such as app, k8s:app or reserved:host"),
);

const cidrRule = fields({
  cidr: cidr.exactOptional(),
  cidrGroupRef: z.string().min(1).exactOptional(),
  cidrGroupSelector: labelSelector.exactOptional(),
  except: z.array(cidr).exactOptional(),
})
  .superRefine(exactlyOne(["cidr", "cidrGroupRef", "cidrGroupSelector"]))
  .superRefine(liesInside);

export type CidrRule = z.infer<typeof cidrRule>;

const group = fields({
  aws: fields({
    labels: z.record(z.string(), z.string()).exactOptional(),
    securityGroupsIds: z.array(z.string()).exactOptional(),
    securityGroupsNames: z.array(z.string()).exactOptional(),
    region: z.string().exactOptional(),
  }).exactOptional(),
});

const namespace = z.string().exactOptional();

const service = fields({
  k8sService: fields({ serviceName: z.string().exactOptional(), namespace }).exactOptional(),
  k8sServiceSelector: fields({ selector: sourcedSelector, namespace }).exactOptional(),
});

export const domainName = fields({
  matchName: z.string().exactOptional(),
  matchPattern: z.string().exactOptional(),
}).superRefine(exactlyOne(["matchName", "matchPattern"]));

const removed = z
  .array(z.unknown())
  .refine(
    () => false,
    "was removed in Cilium 1.19, and narrows other rules before; say it in the selectors or as a deny",
  )
  .exactOptional();

export const ingressPeers = {
  fromEndpoints: z.array(sourcedSelector).exactOptional(),
  fromRequires: removed,
  fromCIDR: z.array(cidr).exactOptional(),
  fromCIDRSet: z.array(cidrRule).exactOptional(),
  fromEntities: z.array(entity).exactOptional(),
  fromNodes: z.array(sourcedSelector).exactOptional(),
  fromGroups: z.array(group).exactOptional(),
};

export const egressPeers = {
  toEndpoints: z.array(sourcedSelector).exactOptional(),
  toRequires: removed,
  toCIDR: z.array(cidr).exactOptional(),
  toCIDRSet: z.array(cidrRule).exactOptional(),
  toEntities: z.array(entity).exactOptional(),
  toNodes: z.array(sourcedSelector).exactOptional(),
  toGroups: z.array(group).exactOptional(),
  toServices: z.array(service).exactOptional(),
};

export const domainNames = z.array(domainName).exactOptional();

function isSourcedKey(key: string): boolean {
  return isLabelKey(key.replace(/^([a-z0-9-]+:|\$)/, ""));
}

function liesInside({ cidr: whole = "", except = [] }: CidrRule, context: z.RefinementCtx): void {
  const outer = parseCidr(whole);
  for (const [index, text] of except.entries()) {
    const inner = parseCidr(text);
    if (outer === undefined || inner === undefined || covers(outer, inner)) continue;
    context.addIssue({ code: "custom", path: ["except", index], message: `must lie inside ${whole}` });
  }
}
