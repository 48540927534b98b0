import { type PodTenant, type Tenure, tenantAt } from "./tenures.ts";

/** Who had each address when. `key` stands for an address in a cluster; times are in milliseconds since the epoch. */
export type TenureBook = {
  /** The tenant has the address from then on, unless it has it already or a younger pod does. */
  begin(key: string, tenant: PodTenant, time: { readonly maybeFromMs: number; readonly nowMs: number }): void;
  /** The pod of that uid has none of these any more. */
  leave(keys: readonly string[], uid: string, nowMs: number): void;
  purge(nowMs: number): void;
  at(key: string, atMs: number): PodTenant | "ambiguous" | undefined;
};

/** What ended is kept for `keepMs`, and about `mostEnded` of it at most, the latest. */
export function createTenureBook(keepMs: number, mostEnded: number): TenureBook {
  const tenures = new Map<string, readonly Tenure[]>();
  const ended = new Map<Tenure, string>();

  const end = (tenure: Tenure, key: string, { nowMs, heirMs = nowMs }: { nowMs: number; heirMs?: number }): void => {
    if (!isOpen(tenure)) return;
    tenure.maybeToMs = nowMs;
    tenure.surelyToMs = Math.min(nowMs, heirMs);
    ended.set(tenure, key);
    if (ended.size > 1.25 * mostEnded) purge(nowMs);
  };
  const purge = (nowMs: number): void => {
    for (const [tenure, key] of ended) {
      if (ended.size <= mostEnded && tenure.maybeToMs >= nowMs - keepMs) break;
      ended.delete(tenure);
      const left = tenures.get(key)?.filter((one) => one !== tenure) ?? [];
      if (left.length === 0) tenures.delete(key);
      else tenures.set(key, left);
    }
  };
  return {
    begin(key, tenant, { maybeFromMs, nowMs }) {
      const there = tenures.get(key) ?? [];
      const mine = there.find((one) => one.tenant.uid === tenant.uid);
      if (mine !== undefined) mine.tenant = tenant;
      // What two claim is the younger one's: the older one's status is behind.
      const hasYounger = there.some((one) => isOpen(one) && one.tenant.startMs > tenant.startMs);
      if (mine !== undefined || hasYounger) return;
      for (const one of there) end(one, key, { nowMs, heirMs: maybeFromMs });
      const open = { surelyToMs: Number.POSITIVE_INFINITY, maybeToMs: Number.POSITIVE_INFINITY };
      tenures.set(key, [...there, { tenant, maybeFromMs, surelyFromMs: nowMs, ...open }]);
    },
    leave(keys, uid, nowMs) {
      for (const key of keys)
        for (const one of tenures.get(key) ?? []) if (one.tenant.uid === uid) end(one, key, { nowMs });
    },
    purge,
    at: (key, atMs) => tenantAt(tenures.get(key) ?? [], atMs),
  };
}

function isOpen({ maybeToMs }: Tenure): boolean {
  return maybeToMs === Number.POSITIVE_INFINITY;
}
