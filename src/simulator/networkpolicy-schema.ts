import { z } from "zod";
import { covers, parseCidr } from "./addresses.ts";
import { fields } from "./fields.ts";
import { cidr, labelSelector, portName, portNumber, protocol } from "./selector-schema.ts";

/** Schema of a NetworkPolicy's spec, as the API server validates it (facts: network-policy §1). */

const ipBlock = fields({ cidr, except: z.array(cidr).exactOptional() }).superRefine((block, context) => {
  for (const [index, except] of (block.except ?? []).entries()) {
    const [whole, part] = [parseCidr(block.cidr), parseCidr(except)];
    if (whole === undefined || part === undefined || (covers(whole, part) && !covers(part, whole))) continue;
    const message = `must lie inside ${block.cidr}, and be smaller`;
    context.addIssue({ code: "custom", path: ["except", index], message });
  }
});

const peer = fields({
  podSelector: labelSelector.exactOptional(),
  namespaceSelector: labelSelector.exactOptional(),
  ipBlock: ipBlock.exactOptional(),
}).superRefine((value, context) => {
  const names = Object.keys(value);
  if (names.length === 0)
    context.addIssue({ code: "custom", message: "needs podSelector, namespaceSelector or ipBlock" });
  if (value.ipBlock !== undefined && names.length > 1)
    context.addIssue({ code: "custom", path: ["ipBlock"], message: "must stand alone, without selectors beside it" });
});

const port = fields({
  protocol: protocol.exactOptional(),
  port: z.union([portNumber, portName]).exactOptional(),
  endPort: portNumber.exactOptional(),
}).superRefine(({ port: first, endPort }, context) => {
  if (endPort === undefined) return;
  if (typeof first !== "number")
    context.addIssue({ code: "custom", path: ["endPort"], message: "needs a port that is a number" });
  else if (endPort < first)
    context.addIssue({ code: "custom", path: ["endPort"], message: `must be at least the port, ${first}` });
});

const ports = z.array(port).exactOptional();
const peers = z.array(peer).exactOptional();

/** The whole spec; an absent one is that of a policy which selects all pods. */
export const networkPolicySpec = fields({
  podSelector: labelSelector.exactOptional(),
  policyTypes: z.array(z.enum(["Ingress", "Egress"])).exactOptional(),
  ingress: z.array(fields({ from: peers, ports })).exactOptional(),
  egress: z.array(fields({ to: peers, ports })).exactOptional(),
});
