import { noPod, podsOf } from "./matcher.ts";
import type { Matcher } from "./model.ts";
import type { SimulatedService } from "./snapshot.ts";

export function serviceNamed(
  services: readonly SimulatedService[],
  namespace: string,
  name: string,
): SimulatedService | undefined {
  return services.find((each) => each.name === name && each.namespace === namespace);
}

/** A Service that does not exist, or has no selector, has no pods that are known. */
export function backendsOf(service: SimulatedService | undefined): Matcher {
  if (service === undefined || Object.keys(service.selector).length === 0) return noPod;
  return podsOf(service.namespace, { matchLabels: service.selector });
}
