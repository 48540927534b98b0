import type { SeenPod } from "./sighting.ts";
import type { WorkloadName } from "./workload-of.ts";

/** A pod as flows need it. */
export type PodTenant = SeenPod & {
  readonly workload: WorkloadName;
  /** When it was made, or got its address if that was seen; milliseconds since the epoch. */
  readonly startMs: number;
  readonly hostNetwork: boolean;
  /** Its node's address. */
  readonly hostIP: string | undefined;
};

/** The time for which a pod had an address, as far as it is known; all in milliseconds since the epoch. */
export type Tenure = {
  tenant: PodTenant;
  /** It had none before; it surely had it from then on. */
  readonly maybeFromMs: number;
  readonly surelyFromMs: number;
  /** It surely had it until then; it had it no more afterwards. */
  surelyToMs: number;
  maybeToMs: number;
};

/** Clocks of nodes, of the API server and ours differ by so much, and a watch tells so much later. */
const skewMs = 2_000;

/**
 * Whose the address was: the only one who may have had it then, or among several the only one who surely had. `ambiguous`
 * where nobody can say; undefined where nobody had it.
 */
export function tenantAt(tenures: readonly Tenure[], atMs: number): PodTenant | "ambiguous" | undefined {
  const maybe = tenures.filter(
    ({ maybeFromMs, maybeToMs }) => maybeFromMs - skewMs <= atMs && atMs <= maybeToMs + skewMs,
  );
  const [first, ...more] = maybe;
  if (first === undefined || more.length === 0) return first?.tenant;
  const surely = maybe.filter(
    ({ surelyFromMs, surelyToMs }) => surelyFromMs + skewMs <= atMs && atMs <= surelyToMs - skewMs,
  );
  return surely.length === 1 ? surely[0]?.tenant : "ambiguous";
}
