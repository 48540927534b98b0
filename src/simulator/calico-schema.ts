import { z } from "zod";
import { type CalicoRule, rule, type Wrong } from "./calico-rule-schema.ts";
import { net, selector } from "./calico-values.ts";
import { fields } from "./fields.ts";

/**
 * The projectcalico.org/v3 schema of what bears on policy, as Calico's API server validates it (its CRDs, and
 * libcalico-go/lib/validator/v3), but for two CIDR families in one rule: Calico knows what to do with them, and so do we.
 */

const order = z.number().exactOptional();

const policyFields = {
  tier: z.string().exactOptional(),
  order,
  selector,
  serviceAccountSelector: selector,
  types: z.array(z.enum(["Ingress", "Egress"])).exactOptional(),
  ingress: z.array(rule).max(1024).exactOptional(),
  egress: z.array(rule).max(1024).exactOptional(),
  performanceHints: z.array(z.string()).exactOptional(),
};

export const networkPolicy = fields({ spec: fields(policyFields).superRefine(tellMisplaced).exactOptional() });

const globalSpec = fields({
  ...policyFields,
  namespaceSelector: selector,
  doNotTrack: z.boolean().exactOptional(),
  preDNAT: z.boolean().exactOptional(),
  applyOnForward: z.boolean().exactOptional(),
}).superRefine((spec, context) => {
  tellMisplaced(spec, context);
  for (const [path, message] of wrongInGlobal(spec)) context.addIssue({ code: "custom", path, message });
});

export const globalNetworkPolicy = fields({ spec: globalSpec.exactOptional() });

export type CalicoPolicySpec = z.infer<typeof globalSpec>;

export const tier = fields({
  spec: fields({ order, defaultAction: z.enum(["Pass", "Deny"]).exactOptional() }).exactOptional(),
});

export const networkSet = fields({ spec: fields({ nets: z.array(net).exactOptional() }).exactOptional() });

/** Only what makes it a member of what a selector selects. */
export const hostEndpoint = z.looseObject({
  spec: z.looseObject({ expectedIPs: z.array(net).exactOptional() }).exactOptional(),
});

type Rules = { readonly ingress?: readonly CalicoRule[]; readonly egress?: readonly CalicoRule[] };

/** Services are only a peer; requests are only looked at where they come in. */
function tellMisplaced({ ingress = [], egress = [] }: Rules, context: z.RefinementCtx): void {
  const tell = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
  for (const [index, { destination }] of ingress.entries())
    if (destination?.services !== undefined)
      tell(["ingress", index, "destination", "services"], "is only for the source of an ingress rule");
  for (const [index, { source, http }] of egress.entries()) {
    if (source?.services !== undefined)
      tell(["egress", index, "source", "services"], "is only for the destination of an egress rule");
    if (http !== undefined) tell(["egress", index, "http"], "is only for ingress rules");
  }
}

function wrongInGlobal({ doNotTrack, preDNAT, applyOnForward, ingress = [], egress = [] }: CalicoPolicySpec): Wrong[] {
  const wrong: Wrong[] = [];
  if (doNotTrack === true && preDNAT === true) wrong.push([["preDNAT"], "must not stand beside doNotTrack"]);
  if (preDNAT === true && egress.length > 0) wrong.push([["egress"], "must be empty with preDNAT"]);
  if ((doNotTrack === true || preDNAT === true) && applyOnForward !== true)
    wrong.push([["applyOnForward"], "must be true with doNotTrack or preDNAT"]);
  const services = [
    ...ingress.map(({ source }, index) => ({ path: ["ingress", index, "source"], services: source?.services })),
    ...egress.map(({ destination }, index) => ({
      path: ["egress", index, "destination"],
      services: destination?.services,
    })),
  ].filter(({ services: each }) => each !== undefined && !each.namespace);
  return [
    ...wrong,
    ...services.map(({ path }): Wrong => [[...path, "services", "namespace"], "is needed in a GlobalNetworkPolicy"]),
  ];
}
