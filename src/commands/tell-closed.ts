import type { Cluster } from "../kubernetes/cluster.ts";
import { parseAllowanceName } from "../policy/allowance.ts";
import { marks } from "../policy/marks.ts";
import type { AllowanceEnd, Operation } from "../policy/operation.ts";
import { note, text } from "./answers.ts";
import type { Outlet } from "./desk.ts";
import { counted } from "./impact-words.ts";
import { clusterOf, type Services } from "./services.ts";

/**
 * Says below its card that it is closed, how late, and what was read back. Never rejects: the card has said it already, and
 * what fails is metered.
 */
export async function tellClosed(services: Services, operation: Operation, outlet: Outlet): Promise<void> {
  const { card, allowance, id } = operation;
  if (outlet.follow === undefined || card === undefined || allowance?.ended === undefined) return;
  try {
    const found = await leftOf(clusterOf(services, operation.target.cluster).cluster, operation).catch(() => undefined);
    const reply = note(
      headlineOf(allowance.ended, found),
      [text(wordsFor(found))],
      found?.left === 0 ? "ok" : "failed",
    );
    await outlet.follow({ ...reply, footer: [id] }, card);
  } catch (error) {
    services.meter({ kind: "error", where: "tell closed", message: `${id}: ${String(error)}` });
  }
}

type Left = { readonly left: number; readonly looked: number };

/** By the names of its plan; where that is lost by the label, whose objects are counted by their names. */
async function leftOf(cluster: Cluster, { id, plan }: Operation): Promise<Left> {
  if (plan?.kind === "allow") {
    const found = await Promise.all(plan.objects.map((object) => cluster.getObject(object)));
    return { left: found.filter((object) => object !== undefined).length, looked: found.length };
  }
  const labelled = await cluster.listPolicies(`${marks.operation}=${id}`);
  const left = labelled.filter(({ metadata }) => parseAllowanceName(metadata.name)?.operation === id).length;
  return { left, looked: left };
}

function headlineOf({ lateMs, why }: AllowanceEnd, found: Left | undefined): string {
  const proved = found?.left === 0 ? "Closed, verified" : "Closed, NOT VERIFIED";
  if (why === "unseen") return found?.left === 0 ? "Nothing of it is in the cluster" : "Nothing of it was seen";
  if (why === "gone") return `${proved}: somebody else deleted it`;
  return lateMs < 0
    ? `${proved}: ended ${Math.round(-lateMs)} ms before its end`
    : `${proved}: at most ${Math.round(lateMs)} ms after its end`;
}

function wordsFor(found: Left | undefined): string {
  if (found === undefined) return "Whether anything of it is left could not be read back: the cluster did not answer.";
  if (found.left > 0) return `Of it ${counted(found.left, "NetworkPolicy is", "NetworkPolicies are")} there still.`;
  if (found.looked === 0) return "Read back: no NetworkPolicy of it is in the cluster.";
  if (found.looked === 1) return "Read back: its NetworkPolicy is not in the cluster any more.";
  return `Read back: none of its ${found.looked} NetworkPolicies is in the cluster any more.`;
}
