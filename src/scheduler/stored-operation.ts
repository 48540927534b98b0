import { z } from "zod";
import type { Operation } from "../policy/operation.ts";

/** What every format has. */
const versioned = z.looseObject({ version: z.number(), id: z.string().optional() });

/** What everything that lists operations relies on; whoever uses more of one looks at it by itself. */
const shape = z.looseObject({
  version: z.literal([1, 2, 3, 4]),
  id: z.string(),
  kind: z.enum(["quarantine", "lockdown", "release", "allowance", "undo"]),
  state: z.enum([
    "accepted",
    "planned",
    "awaiting-second",
    "awaiting-approval",
    "running",
    "in-force",
    "done",
    "refused",
    "cancelled",
    "failed",
  ]),
  revision: z.number(),
  principal: z.looseObject({ kind: z.string() }),
  origin: z.looseObject({ at: z.number() }),
  target: z.looseObject({
    cluster: z.string(),
    namespace: z.string(),
    pod: z.string().optional(),
    workload: z.looseObject({ kind: z.string(), name: z.string() }).optional(),
  }),
  steps: z.array(z.looseObject({ step: z.string(), at: z.number() })),
});

/**
 * The operation in a stored record, which is the one of that id where one is given. Throws, and names it, where it is of
 * a newer format or none at all.
 */
export function parseOperation(json: string, id?: string): Operation {
  const value = parsed(json);
  const { success: isVersioned, data: any } = versioned.safeParse(value);
  const name = id ?? any?.id ?? "(without an id)";
  if (isVersioned && ![1, 2, 3, 4].includes(any.version)) {
    throw new Error(`operation ${name} has format version ${any.version}; this version of Bulkhead knows 1 to 4`);
  }
  const { success, data } = shape.safeParse(value);
  if (!success || (id !== undefined && data.id !== id)) {
    throw new Error(`what is stored as operation ${name} is none that Bulkhead writes`);
  }
  return value as Operation;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
