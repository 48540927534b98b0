import type { Operation } from "../policy/operation.ts";
import { amend, type Services } from "./services.ts";

/** Stores that the quarantine has ended by that release, so that its own card says so; returns it as stored. */
export function markLifted(services: Services, { id, target }: Operation, release: string): Promise<Operation> {
  return amend(services, id, (now) => ({
    ...now,
    state: "done",
    liftedBy: release,
    result: {
      headline: `Released by ${release}: ${target.namespace}/${target.pod}`,
      tone: "good",
      lines: [],
      audited: "",
    },
  }));
}
