import { endOf } from "./ends.ts";
import { nameIn } from "./fields.ts";
import type { FlowEnd, FlowWorkload } from "./record.ts";

/**
 * An end of a Goldmane flow, of three fields of its key: names, never an address (facts: denied-flows §2). `-` is no name,
 * `pub` and `pvt` are networks outside and inside of the private ranges, and `web-645b68dcf7-*` is what names of pods begin with.
 */
export function goldmaneEnd({ type, name, namespace }: Named): FlowEnd {
  const named = namedIn(name);
  const within = namedIn(namespace);
  const kind = typeof type === "number" ? endpointTypes[type] : type;
  if (kind === "HostEndpoint") return endOf({ entity: "host" });
  if (named === "pub") return endOf({ entity: "world" });
  if (named === "pvt") return endOf({ entity: "private" });
  if (named === undefined) return endOf({ namespace: within });
  if (kind !== "WorkloadEndpoint") return endOf({ namespace: within, workload: setOf(named, within) });
  if (!named.endsWith("*")) return endOf({ namespace: within, pod: named });
  return endOf({ namespace: within, workload: { kind: undefined, name: named.slice(0, -1), prefix: true } });
}

type Named = { readonly type: unknown; readonly name: unknown; readonly namespace: unknown };

/** goldmane.EndpointType, by number. */
const endpointTypes: readonly string[] = ["", "WorkloadEndpoint", "HostEndpoint", "NetworkSet", "Network"];

function namedIn(value: unknown): string | undefined {
  return value === "-" ? undefined : nameIn(value);
}

/** A network set is no workload, but has a name that people know. */
function setOf(name: string, namespace: string | undefined): FlowWorkload {
  return { kind: namespace === undefined ? "GlobalNetworkSet" : "NetworkSet", name };
}
