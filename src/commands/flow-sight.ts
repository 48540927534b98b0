import type { FlowKey } from "../flows/flow-key.ts";
import type { Place } from "../flows/place.ts";
import type { FlowPolicy } from "../flows/record.ts";
import { decideAccess } from "../policy/access.ts";
import type { Principal } from "../policy/principal.ts";
import type { Services } from "./services.ts";

/** Whether the person may look into the namespace; of the empty name: into all of them. */
export type Sees = (namespace: string) => boolean;

type Asked = {
  readonly services: Pick<Services, "settings">;
  readonly request: { readonly principal: Principal };
};

/** In what of a cluster the caller has the right `status`. */
export function seenIn({ services, request }: Asked, cluster: string): Sees {
  const known = new Map<string, boolean>();
  const look = (namespace: string): boolean =>
    decideAccess(services.settings.access, request.principal, "status", { cluster, namespace }).allowed;
  return (namespace) => {
    const seen = known.get(namespace) ?? look(namespace);
    known.set(namespace, seen);
    return seen;
  };
}

/** What stands for a workload that the person may not know of. */
const elsewhere: Place = { kind: "entity", name: "another namespace" };

/**
 * The key as the person may be told of it, with `elsewhere` for what lies where one may not look; undefined where it is
 * between others only. What is between no workloads at all is for those who may look everywhere.
 */
export function asSeen(key: FlowKey, sees: Sees): FlowKey | undefined {
  const ends = [key.from, key.to].filter((end) => end.kind === "workload");
  const seen = ends.filter(({ namespace }) => sees(namespace));
  if (ends.length === 0 ? !sees("") : seen.length === 0) return undefined;
  const hidden = key.policies.some((policy) => !isSeenPolicy(policy, sees));
  if (seen.length === ends.length && !hidden) return key;
  return {
    ...key,
    from: placeSeen(key.from, sees),
    to: placeSeen(key.to, sees),
    policies: hidden ? [otherPolicy] : key.policies,
  };
}

/** Whether the key may be told of in full. */
export function isWhollySeen({ from, to }: FlowKey, sees: Sees): boolean {
  const ends = [from, to].filter((end) => end.kind === "workload");
  return ends.length === 0 ? sees("") : ends.every(({ namespace }) => sees(namespace));
}

/** Names a policy that lies where the person may not look. */
export const otherPolicyName = "a policy of another namespace";

const otherPolicy: FlowPolicy = { kind: undefined, namespace: undefined, name: otherPolicyName };

function isSeenPolicy({ namespace }: FlowPolicy, sees: Sees): boolean {
  return namespace === undefined || sees(namespace);
}

function placeSeen(place: Place, sees: Sees): Place {
  return place.kind === "workload" && !sees(place.namespace) ? elsewhere : place;
}
