import type { Cluster } from "../kubernetes/cluster.ts";
import type { Place } from "../policy/access.ts";
import { type KnownAllowance, knownAllowance } from "../policy/allowance.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { marks } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import { type AllowanceRecord, isLive, type Operation } from "../policy/operation.ts";
import { findOperation } from "./find-operation.ts";
import type { Context, Services } from "./services.ts";

/** An allowance that was confirmed. */
export type Allowance = Operation & { readonly allowance: AllowanceRecord };

/** The allowance whose id that is, or the beginning of one, among those that the person sees. */
export async function locateAllowance<C extends { readonly operation: string }>(
  context: Context,
  command: C,
): Promise<{ readonly place: Place; readonly command: C } | Refusal> {
  const operation = await findOperation(context, command.operation);
  if (isRefusal(operation)) return operation;
  const { cluster, namespace } = operation.target;
  return { place: { cluster, namespace }, command: { ...command, operation: operation.id } };
}

/** The allowance of that id where something of it may be open, for what was authorised already. */
export async function holdingAllowance(services: Services, id: string): Promise<Allowance | Refusal> {
  const operation = await services.operations.get(id);
  if (operation?.kind !== "allowance") return refusal(`there is no allowance ${id}`, "Look at /np status.");
  const { allowance, state, result } = operation;
  if (allowance?.ended !== undefined || state === "done") {
    return refusal(`${id} has ended: ${result?.headline ?? "nothing of it is open"}`, "Open it anew with /np allow.");
  }
  if (allowance === undefined || !isLive(operation)) {
    return refusal(`${id} opened nothing: it is ${state}`, "Look at its card.");
  }
  return { ...operation, allowance };
}

/** An object of an allowance as it is stored, and what its name says. */
export type StoredAllowance = { readonly object: NetworkPolicy; readonly known: KnownAllowance };

/** What of it is in the cluster now. */
export async function objectsOfAllowance(cluster: Cluster, operation: string): Promise<readonly StoredAllowance[]> {
  const labelled = await cluster.listPolicies(`${marks.operation}=${operation}`);
  return labelled.flatMap((object) => {
    const known = knownAllowance(object);
    return known?.operation === operation ? [{ object, known }] : [];
  });
}
