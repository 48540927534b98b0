import { decideAccess, type Place, type Verb, verbs } from "../policy/access.ts";
import type { Principal } from "../policy/principal.ts";
import type { Context, Services } from "./services.ts";

/**
 * Whether the person has some right in the namespace. What lies in a namespace where one has none is answered as if it
 * were not there: its name, its pods and its operations show up in no answer, suggestion or list.
 */
export function sees({ settings }: Pick<Services, "settings">, principal: Principal, place: Place): boolean {
  return verbs.some((verb) => decideAccess(settings.access, principal, verb, place).allowed);
}

/** The namespaces of a cluster in which the caller has some right, as a predicate. */
export function seenNamespaces({ services, request }: Context, cluster: string): (namespace: string) => boolean {
  return (namespace) => sees(services, request.principal, { cluster, namespace });
}

/** Whether the verb is granted in every namespace of every cluster, by a rule that says `*`: no name can be that. */
export function everywhere({ settings }: Pick<Services, "settings">, principal: Principal, verb: Verb): boolean {
  return decideAccess(settings.access, principal, verb, { cluster: "*", namespace: "*" }).allowed;
}
