import type { DenyEngine, Detection, EngineState } from "../policy/engine.ts";
import { type Refusal, refusal } from "../policy/guard.ts";

/** The engine that denies, and what is to be said of it beside the plan. */
export type Choice = { readonly engine: DenyEngine; readonly warnings: readonly string[] };

/**
 * The strongest engine that is known to be enforced, or the one that is asked for. One that the cluster does not serve
 * cannot be written. One that is not known to be enforced is allowed and said: it only denies, beside a NetworkPolicy
 * that is written all the same, so it opens nothing; the person may know more than was read; and the verdict goes by
 * what is known, whoever asked. Nothing known: NetworkPolicy.
 */
export function chooseEngine({ engines }: Detection, asked: DenyEngine | undefined): Choice | Refusal {
  if (asked === undefined) {
    const strongest = engines.find(({ served, state }) => served && state === "enforced");
    return { engine: strongest?.engine ?? "networkpolicy", warnings: [] };
  }
  const wanted = engines.find(({ engine }) => engine === asked);
  if (wanted?.served !== true) return unserved(asked, wanted, engines);
  if (wanted.state === "enforced") return { engine: asked, warnings: [] };
  const known = wanted.state === "unknown" ? "is not known to be enforced" : "is not enforced";
  return { engine: asked, warnings: [`${asked} ${known} here, and was asked for. ${wanted.because}`] };
}

function unserved(asked: DenyEngine, wanted: EngineState | undefined, engines: readonly EngineState[]): Refusal {
  const served = engines.filter((each) => each.served).map(({ engine }) => engine);
  return refusal(
    `engine ${asked} cannot be used here. ${wanted?.because ?? "Nothing is known of it."}`.replace(/\.$/, ""),
    `Choose one of ${served.join(", ")}, or leave --engine out: then it is the strongest that is enforced.`,
  );
}
