import { operationCard } from "./card.ts";
import type { Reply } from "./reply.ts";
import type { Services } from "./services.ts";

/**
 * The card of an operation as it stands now, whichever replica brought it there; undefined where it is not known.
 * Throws where the store is away.
 */
export async function cardNow(services: Services, id: string): Promise<Reply | undefined> {
  const operation = await services.operations.get(id);
  return operation === undefined ? undefined : operationCard(operation, services.now());
}
