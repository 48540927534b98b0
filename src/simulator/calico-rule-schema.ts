import { z } from "zod";
import { anySelector, net, port, scope, selector } from "./calico-values.ts";
import { fields } from "./fields.ts";

const number = z.union([z.int().min(1).max(255), z.enum(["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "UDPLite"])]);
const icmp = fields({
  type: z.int().min(0).max(254).exactOptional(),
  code: z.int().min(0).max(255).exactOptional(),
}).exactOptional();

const entityFields = {
  nets: z.array(net).max(256).exactOptional(),
  notNets: z.array(net).max(256).exactOptional(),
  selector,
  notSelector: selector,
  namespaceSelector: scope,
  ports: z.array(port).max(50).exactOptional(),
  notPorts: z.array(port).max(50).exactOptional(),
  serviceAccounts: fields({ names: z.array(z.string()).exactOptional(), selector: anySelector }).exactOptional(),
  services: fields({
    name: z.string().min(1).max(253),
    namespace: z.string().max(253).exactOptional(),
  }).exactOptional(),
};

const entity = fields(entityFields).superRefine((value, context) => {
  if (value.services === undefined) return;
  for (const field of ["nets", "notNets", "selector", "notSelector", "namespaceSelector", "serviceAccounts"] as const) {
    if (value[field] !== undefined)
      context.addIssue({ code: "custom", path: [field], message: "must not stand beside services" });
  }
});

const httpPath = fields({ exact: z.string().exactOptional(), prefix: z.string().exactOptional() });

const ruleFields = fields({
  action: z.enum(["Allow", "Deny", "Log", "Pass"]),
  ipVersion: z.literal([4, 6]).exactOptional(),
  protocol: number.exactOptional(),
  notProtocol: number.exactOptional(),
  icmp,
  notICMP: icmp,
  source: entity.exactOptional(),
  destination: entity.exactOptional(),
  http: fields({
    methods: z.array(z.string()).exactOptional(),
    paths: z.array(httpPath).exactOptional(),
  }).exactOptional(),
  metadata: fields({ annotations: z.record(z.string(), z.string()).exactOptional() }).exactOptional(),
});

export type CalicoEntity = z.infer<typeof entity>;
export type CalicoRule = z.infer<typeof ruleFields>;
export type CalicoPort = z.infer<typeof port>;

/** A rule, as Calico's API server validates it (its CRDs, and validateRule in libcalico-go/lib/validator/v3). */
export const rule = ruleFields.superRefine((value, context) => {
  for (const [path, message] of wrongInRule(value)) context.addIssue({ code: "custom", path, message });
});

/** What is wrong in an object, below it. */
export type Wrong = readonly [path: (string | number)[], message: string];

function wrongInRule(value: CalicoRule): readonly Wrong[] {
  const wrong: Wrong[] = [...wrongPorts(value)];
  const icmpOnly = ["ICMP", "ICMPv6", 1, 58].includes(value.protocol ?? "");
  if (value.icmp !== undefined && !icmpOnly) wrong.push([["icmp"], "needs protocol ICMP or ICMPv6"]);
  if (value.http === undefined) return wrong;
  if (value.action !== "Allow") wrong.push([["http"], "is only for the action Allow"]);
  if (![undefined, "TCP", 6].includes(value.protocol)) wrong.push([["http"], "needs protocol TCP"]);
  return wrong;
}

const withPorts: readonly unknown[] = ["TCP", "UDP", "SCTP", 6, 17, 132];

function wrongPorts({ protocol, source, destination }: CalicoRule): readonly Wrong[] {
  const sides = { source, destination };
  const all = (["source", "destination"] as const).flatMap((side) =>
    (["ports", "notPorts"] as const).map((field) => ({ path: [side, field], ports: sides[side]?.[field] ?? [] })),
  );
  const fits = (ports: readonly CalicoPort[]) =>
    protocol === undefined
      ? ports.every((each) => typeof each === "object" && "name" in each)
      : ports.length === 0 || withPorts.includes(protocol);
  return all
    .filter(({ ports }) => !fits(ports))
    .map(({ path }) => [path, "needs protocol TCP, UDP or SCTP"] satisfies Wrong);
}
