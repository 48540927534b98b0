import type { Observed, Tells } from "../policy/observed.ts";
import type { Services } from "./services.ts";

/**
 * What the sources of a cluster tell of single pods now, whichever replica has them: a relay is asked for what is forwarded, of what
 * others are sent it only shows (`seesForwarded`). Goldmane names no pod, only what the names of several begin with.
 */
export function tellsOf({ flows }: Pick<Services, "flows">, cluster: string, seesForwarded: boolean): Tells {
  const there = (flows?.sources() ?? []).filter(
    ({ cluster: of, kind, state }) =>
      of === cluster && kind !== "goldmane" && (state === "connected" || state === "elsewhere"),
  );
  if (there.length === 0) return "nothing";
  return there.some(({ kind }) => kind === "hubble-relay") || seesForwarded ? "forwarded" : "denied";
}

/** What flows have shown of an operation that is in force from now on: nothing yet. Undefined where no source is connected. */
export function notYetObserved(services: Pick<Services, "flows" | "now">, cluster: string): Observed | undefined {
  const [tells, at] = [tellsOf(services, cluster, false), services.now()];
  return tells === "nothing" ? undefined : { since: at, tells, at };
}
