import type { Denial } from "../engines/denial.ts";
import { isLabelValue } from "../policy/incident.ts";
import { marks } from "../policy/marks.ts";
import type { Labels } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import { principalKey } from "../policy/principal.ts";

/** What every object of an operation bears: whose it is, who asked for it and why, and what the caller adds. */
export function marksFor(
  { id, kind, principal, reason, incident }: Pick<Operation, "id" | "kind" | "principal" | "reason" | "incident">,
  annotations: Labels,
): Pick<Denial, "labels" | "annotations"> {
  return {
    labels: {
      [marks.managedBy]: "bulkhead",
      [marks.operation]: id,
      [marks.kind]: kind,
      ...(incident !== undefined && isLabelValue(incident) ? { [marks.incident]: incident } : {}),
    },
    annotations: {
      [marks.principal]: principalKey(principal) ?? "unknown",
      [marks.reason]: reason,
      ...(incident === undefined ? {} : { [marks.incident]: incident }),
      ...annotations,
    },
  };
}
