import { note } from "./answers.ts";
import type { Reply } from "./reply.ts";
import type { Services } from "./services.ts";

/**
 * Does what a delivery asks for when it comes first, and nothing, with no second answer, when it comes again within the
 * hour (invariant 9). What is recorded as an operation needs this not: accepting it counts deliveries. Where the store
 * is away it goes on: an answer given twice does less harm than none.
 */
export async function once(
  services: Services,
  { delivery }: { readonly delivery: string },
  work: () => Promise<Reply>,
): Promise<Reply> {
  const first = await services.operations.firstDelivery(delivery).catch(() => true);
  return first ? work() : note("Answered already", []);
}
