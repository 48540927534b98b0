import { decideAccess, type Place, type Verb, verbs } from "../policy/access.ts";
import type { Operation } from "../policy/operation.ts";
import type { Principal } from "../policy/principal.ts";
import { namespacesTold } from "../policy/undo-plan.ts";
import type { Context, Services } from "./services.ts";

/**
 * Whether the person has some right in the namespace. What lies in a namespace where one has none is answered as if it
 * were not there: its name, its pods and its operations show up in no answer, suggestion or list.
 */
export function sees({ settings }: Pick<Services, "settings">, principal: Principal, place: Place): boolean {
  return verbs.some((verb) => decideAccess(settings.access, principal, verb, place).allowed);
}

/** The same of an operation: in every namespace of which it tells. */
export function seesOperation(
  services: Pick<Services, "settings">,
  principal: Principal,
  operation: Pick<Operation, "target" | "plan">,
): boolean {
  return toldPlaces(operation).every((place) => sees(services, principal, place));
}

/** A place that is known in full. */
type TargetPlace = { readonly cluster: string; readonly namespace: string };

/** Where all lies of which the operation tells: an undo may be of policies in several namespaces. */
export function toldPlaces({ target, plan }: Pick<Operation, "target" | "plan">): readonly TargetPlace[] {
  const { cluster, namespace } = target;
  const others = plan?.kind === "undo" ? namespacesTold(plan) : [];
  return [...new Set([namespace, ...others])].map((each) => ({ cluster, namespace: each }));
}

/** The namespaces of a cluster in which the caller has some right, as a predicate. */
export function seenNamespaces({ services, request }: Context, cluster: string): (namespace: string) => boolean {
  return (namespace) => sees(services, request.principal, { cluster, namespace });
}

/** Whether the verb is granted in every namespace of every cluster, by a rule that says `*`: no name can be that. */
export function everywhere({ settings }: Pick<Services, "settings">, principal: Principal, verb: Verb): boolean {
  return decideAccess(settings.access, principal, verb, { cluster: "*", namespace: "*" }).allowed;
}
