import type { CalicoEntity } from "./calico-rule-schema.ts";
import { podsOf } from "./matcher.ts";
import type { PeerTerm, PortTerm } from "./model.ts";
import { podsOfService } from "./services.ts";
import type { Snapshot } from "./snapshot.ts";

/** The Service's endpoints, and their ports where they are the destination; undefined: not known. */
export type ServiceEnds = { readonly peers: readonly PeerTerm[]; readonly ports: readonly PortTerm[] | undefined };

/**
 * The pods that the Service selects, by its target ports (Calico reference, ServiceMatch). Endpoints that are not known
 * may be anything: those of a Service without a selector, or of one that is not in the snapshot.
 */
export function readService(
  { name, namespace }: NonNullable<CalicoEntity["services"]>,
  own: string | undefined,
  snapshot: Snapshot,
): ServiceEnds {
  const home = namespace || own || "default";
  const service = snapshot.services.find((each) => each.name === name && each.namespace === home);
  if (service === undefined || Object.keys(service.selector).length === 0) {
    const maybe = `services: the endpoints of ${home}/${name} are not known`;
    return { peers: [{ on: ["pod", "node", "external"], maybe }], ports: undefined };
  }
  const onHosts = podsOfService(snapshot, service).some(({ hostNetwork }) => hostNetwork);
  const maybe = `services: which nodes are endpoints of ${home}/${name} is not known`;
  return {
    peers: [
      { on: ["pod"], pods: podsOf(home, { matchLabels: service.selector }) },
      ...(onHosts ? [{ on: ["node"] as const, maybe }] : []),
    ],
    ports: service.ports.map(({ protocol, targetPort }) =>
      typeof targetPort === "string" ? { protocol, name: targetPort } : { protocol, from: targetPort, to: targetPort },
    ),
  };
}
