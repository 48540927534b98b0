import type { Endpoint } from "../policy/endpoint.ts";

/**
 * `allow-out-2-vault`: another for every rule of a policy, as Antrea's webhook asks, by direction and place in the list. What
 * is no letter, digit or dash may be hostile where rules are logged.
 */
export function allowName({ direction, name }: Endpoint, index: number): string {
  const way = direction === "ingress" ? "in" : "out";
  return `allow-${way}-${index + 1}-${name.replaceAll(/[^A-Za-z0-9-]/g, "-")}`;
}
