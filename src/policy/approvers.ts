import { type Access, granteesOf } from "./access.ts";
import { placesOf } from "./approval.ts";
import type { Operation } from "./operation.ts";
import { keysOf } from "./people.ts";

/**
 * Keys of the Slack users and groups who may be asked to agree: those that `from` names, else those whom rules grant
 * `approve` in every place of the operation. A person is named by each Slack id; whoever asked is left out.
 */
export function approversOf(access: Access, operation: Operation, from: readonly string[] = []): readonly string[] {
  const keys = from.length === 0 ? granteesOf(access, "approve", placesOf(operation)) : from;
  const asker = keysOf(access.people, operation.principal).flatMap((key) => idsOf(access, key));
  const ids = new Set(keys.flatMap((key) => idsOf(access, key)));
  return [...ids].filter((key) => /^slack(-group)?:/.test(key) && !asker.includes(key));
}

function idsOf({ people }: Access, key: string): readonly string[] {
  const person = people.find(({ name }) => key === `person:${name}`);
  return person === undefined ? [key] : person.ids;
}
