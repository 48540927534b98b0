import type { Operation } from "../policy/operation.ts";
import { targetName } from "../policy/target.ts";
import { operationCard } from "./card.ts";
import { amend, type Context, type Services } from "./services.ts";

/** Stores that the quarantine has ended by that release, so that its own card says so; returns it as stored. */
export function markLifted(services: Services, { id, target }: Operation, release: string): Promise<Operation> {
  return amend(services, id, (now) => ({
    ...now,
    state: "done",
    liftedBy: release,
    result: {
      headline: `Released by ${release}: ${targetName(target)}`,
      tone: "good",
      lines: [],
      audited: "",
    },
  }));
}

/** The same, and the quarantine's own card says that it ended, whoever looks at it later. */
export async function showLifted(
  { services, outlet }: Pick<Context, "services" | "outlet">,
  quarantine: Operation,
  release: string,
): Promise<void> {
  const ended = await markLifted(services, quarantine, release);
  if (ended.card !== undefined) await outlet.show(operationCard(ended, services.now()), ended.card);
}
