import { z } from "zod";
import type { NewEntry } from "../audit/entry.ts";
import { canonicalJson } from "../policy/canonical.ts";
import { quarantinePolicyName } from "../policy/marks.ts";
import { workloadKinds } from "../policy/objects.ts";
import { type Operation, operationId } from "../policy/operation.ts";
import { isNamespaceName } from "../policy/target.ts";
import type { LaptopRecord } from "./laptop.ts";

/** As the API server takes it. */
const name = z
  .string()
  .max(253)
  .regex(/^[-a-z0-9.]+$/);

const place = { cluster: z.string().max(63), namespace: z.string().refine(isNamespaceName) };

const target = z.union([
  z.strictObject({ ...place, pod: z.string().max(253) }),
  z.strictObject({ ...place, workload: z.strictObject({ kind: z.enum(workloadKinds), name }) }),
  z.strictObject(place),
]);

const deny = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });

const planned = {
  target: z.looseObject({}),
  policy: z.looseObject({ metadata: z.looseObject({ name: z.string(), namespace: z.string() }) }),
};

/** What a terminal that reaches no Redis can have done: only what contains; a release needs the history there. */
const operation = z.looseObject({
  version: z.literal([1, 2, 3]),
  id: z.string(),
  kind: z.enum(["quarantine", "lockdown"]),
  state: z.enum(["accepted", "planned", "awaiting-second", "running", "in-force", "refused", "cancelled", "failed"]),
  delivery: z.string().startsWith("terminal:").max(100),
  principal: z.strictObject({ kind: z.literal("terminal"), user: z.string().max(300), source: z.string().max(40) }),
  origin: z.object({ source: z.literal("terminal"), command: z.string().max(2_000), at: z.number() }),
  target,
  reason: z.string().max(500),
  incident: z.string().max(64).optional(),
  result: z
    .strictObject({
      headline: z.string().max(150),
      tone: z.enum(["good", "warning", "bad"]),
      lines: z.array(z.string().max(1_000)).max(200),
      audited: z.string().max(300),
      leaves: z
        .array(z.strictObject({ policy: z.string().max(1_000), how: z.string().max(100) }))
        .max(1_000)
        .optional(),
    })
    .optional(),
  steps: z.array(z.strictObject({ step: z.string().max(100), at: z.number() })).max(50),
  plan: z
    .union([
      z.looseObject({
        ...planned,
        kind: z.literal("quarantine"),
        podUid: z.string(),
        labelsBefore: z.record(z.string(), z.string()),
        removes: z.array(z.string()),
        leavesServices: z.array(z.string()),
      }),
      z.looseObject({ ...planned, kind: z.literal("contain"), pods: z.array(z.string()), denies: z.array(deny) }),
    ])
    .optional(),
});

/**
 * A record that a terminal wrote, as history: whoever may write ConfigMaps can have written it, so nothing in it makes
 * the bot act. The operation is of that terminal, is ended where it was not settled, and has no card, no confirmation
 * and no word about other operations; its entries are about itself alone. Undefined where it is no such record.
 */
export function historyOf({ operation: given, entries }: LaptopRecord): LaptopRecord | undefined {
  const parsed = operation.safeParse(given);
  if (!parsed.success || operationId(given.kind, given.delivery) !== given.id || !hasOwnPlan(given)) return undefined;
  if (entries.length > 2 || !entries.every((entry) => isOwn(entry, given))) return undefined;
  const { version, id, kind, delivery, principal, target, reason, incident, steps, plan, result } = given;
  const { source, command, at } = given.origin;
  const origin = { source, channel: undefined, command, at };
  const told = { version, id, kind, revision: 0, delivery, principal, origin, target, reason, steps };
  const optional = { ...(incident && { incident }), ...(plan && { plan }), ...(result && { result }) };
  return { version: 1, operation: { ...told, ...optional, ...endOf(given) }, entries };
}

function hasOwnPlan({ id, plan, target }: Operation): boolean {
  if (plan === undefined) return true;
  if (
    plan.kind === "release" ||
    plan.kind === "allow" ||
    plan.kind === "undo" ||
    canonicalJson(plan.target) !== canonicalJson(target)
  )
    return false;
  const { name, namespace } = plan.policy.metadata;
  return name === quarantinePolicyName(id) && namespace === target.namespace;
}

function isOwn(entry: NewEntry, { id, principal }: Operation): boolean {
  const kind = entry.kind === "intent" || entry.kind === "outcome";
  return (
    kind &&
    entry.operation === id &&
    entry.id === `${id}:${entry.kind}` &&
    canonicalJson(entry.actor) === canonicalJson(principal)
  );
}

/** What the terminal left unfinished stays so: nobody goes on with it. */
function endOf({ state }: Operation): Pick<Operation, "state" | "result"> {
  if (state === "accepted" || state === "planned" || state === "awaiting-second") return { state: "cancelled" };
  if (state !== "running") return { state };
  const headline = "Left unfinished by the terminal that began it";
  const lines = ["What it wrote may be in the cluster: look at /np status, and release it to end that."];
  return { state: "failed", result: { headline, tone: "bad", lines, audited: "" } };
}
