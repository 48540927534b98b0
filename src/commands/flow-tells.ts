import type { Observed, Tells } from "../policy/observed.ts";
import type { Services } from "./services.ts";

/**
 * What the sources of a cluster tell now, whichever replica has them: those that are followed are asked for what is forwarded,
 * of what others are sent it only shows (`seesForwarded`).
 */
export function tellsOf({ flows }: Pick<Services, "flows">, cluster: string, seesForwarded: boolean): Tells {
  const there = (flows?.sources() ?? []).filter(
    (source) => source.cluster === cluster && (source.state === "connected" || source.state === "elsewhere"),
  );
  if (there.length === 0) return "nothing";
  const isAsked = there.some(({ kind }) => kind === "hubble-relay" || kind === "goldmane");
  return isAsked || seesForwarded ? "forwarded" : "denied";
}

/** What flows have shown of an operation that is in force from now on: nothing yet. Undefined where no source is connected. */
export function notYetObserved(services: Pick<Services, "flows" | "now">, cluster: string): Observed | undefined {
  const [tells, at] = [tellsOf(services, cluster, false), services.now()];
  return tells === "nothing" ? undefined : { since: at, tells, at };
}
