import { type Refusal, refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import { seesOperation } from "./sees.ts";
import type { Context } from "./services.ts";

/** The operation of that id, or the only one that begins so, among those that the person sees: any other is not there. */
export async function findOperation(context: Context, prefix: string): Promise<Operation | Refusal> {
  const [operation, ...more] = await seenStartingWith(context, prefix);
  if (more.length > 0) return refusal(`several operations begin with ${prefix}`, "Type more of the id.");
  return operation ?? refusal(`there is no operation ${prefix}`, "Look at /np status.");
}

/** The first two operations that begin so and that the person sees, in the order of their ids. */
export async function seenStartingWith({ services, request }: Context, prefix: string): Promise<readonly Operation[]> {
  const found: Operation[] = [];
  let page = await services.operations.startingWith(prefix);
  while (page.length > 0 && found.length < 2) {
    const operations = await Promise.all(page.map((id) => services.operations.get(id)));
    found.push(
      ...operations.filter((one) => one !== undefined).filter((one) => seesOperation(services, request.principal, one)),
    );
    page = await services.operations.startingWith(prefix, page.at(-1));
  }
  return found;
}
