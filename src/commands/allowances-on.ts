import type { Cluster } from "../kubernetes/cluster.ts";
import { knownAllowance } from "../policy/allowance.ts";
import type { NetworkPolicy, Pod } from "../policy/objects.ts";
import type { Principal } from "../policy/principal.ts";
import { mayMeet, selects } from "../policy/selector.ts";
import { type Closed, closeObject } from "./close-allowance.ts";
import type { Outlet } from "./desk.ts";
import { endAllowance } from "./end-allowance.ts";
import { objectsOfAllowance } from "./find-allowance.ts";
import { rebuiltAllowance } from "./rebuild-allowance.ts";
import type { Services } from "./services.ts";

/**
 * Operations that open any of these pods now, sorted; by `deny`, which cuts them off, also what would open those that
 * start later.
 */
export function allowancesOn(
  pods: readonly Pod[],
  policies: readonly NetworkPolicy[],
  deny?: NetworkPolicy,
): readonly string[] {
  const operations = policies.flatMap((policy) => {
    const { podSelector = {} } = policy.spec;
    const opensAny = pods.some(
      ({ namespace, labels }) => namespace === policy.metadata.namespace && selects(podSelector, labels),
    );
    return opensAny || opensLater(policy, pods, deny) ? (knownAllowance(policy)?.operation ?? []) : [];
  });
  return [...new Set(operations)].toSorted();
}

function opensLater({ metadata, spec }: NetworkPolicy, pods: readonly Pod[], deny: NetworkPolicy | undefined): boolean {
  if (deny === undefined || pods.length > 0 || deny.metadata.namespace !== metadata.namespace) return false;
  return mayMeet(spec.podSelector ?? {}, deny.spec.podSelector ?? {});
}

/** Who contains, and under which operation. */
type Containing = { readonly services: Services; readonly operation: string; readonly principal: Principal };

/** Containment wins (invariant 13): all that these operations opened is closed now, wherever it lies. */
export async function endAllowances(cluster: Cluster, operations: readonly string[], by: Containing): Promise<void> {
  for (const operation of operations) {
    const closed: Closed[] = [];
    for (const { object } of await objectsOfAllowance(cluster, operation)) {
      const closing = await closeObject({ cluster }, { reference: object, uid: object.metadata.uid, why: "ended" });
      if (closing.kind === "closed") closed.push(closing);
    }
    // Cutting off waits for no record of it.
    if (closed.length > 0) void tellEnded(cluster, operation, closed, by);
  }
}

/** Its card is left to a takeover: it is none of the containment's. */
const unseen: Outlet = { show: () => Promise.resolve({ card: undefined, reached: false }) };

async function tellEnded(cluster: Cluster, id: string, closed: readonly Closed[], by: Containing): Promise<void> {
  const { services, operation: containment, principal } = by;
  try {
    const objects = closed.map(({ object }) => object);
    const operation = (await services.operations.get(id)) ?? rebuiltAllowance(cluster.name, objects);
    // Whoever carries it out finds it cut off, takes the rest of it back, and tells that.
    if (operation.state === "running") return;
    const at = Math.max(...closed.map((one) => one.at));
    const lateMs = Math.max(...closed.map((one) => one.lateMs));
    const end = { at, lateMs, why: "ended", by: principal } as const;
    await endAllowance(services, { operation, end, detail: { containment, objects } }, () => unseen);
  } catch (error) {
    services.meter({ kind: "error", where: "end allowance", message: String(error) });
  }
}
