import type { Cluster } from "../kubernetes/cluster.ts";
import { type Exclusion, exclusionPatch, inclusionPatch, standingOf } from "../policy/exclusion.ts";
import { marks } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import { selects } from "../policy/selector.ts";
import type { Hold } from "./hold.ts";
import { StepFailed } from "./step-failed.ts";

type Changing = { readonly cluster: Cluster; readonly operation: string; readonly hold: Pick<Hold, "check"> };

/**
 * Makes the changes to others' policies that a person has confirmed. One that is made already is left; one whose policy
 * somebody changed since is not made, and throws: what was confirmed is not what would happen.
 */
export async function changePolicies(changing: Changing, exclusions: readonly Exclusion[]): Promise<void> {
  for (const exclusion of exclusions) await changeOne(changing, exclusion, 3);
}

async function changeOne(changing: Changing, exclusion: Exclusion, tries: number): Promise<void> {
  const { cluster, operation, hold } = changing;
  const { namespace, name } = exclusion;
  const policy = await find(cluster, exclusion);
  // A policy that is gone lets nothing through any more.
  if (policy === undefined) return;
  const standing = standingOf(exclusion, policy);
  if (standing === "after") return;
  const left = `The deny is in force, and the pod has its labels; release ${operation}, or quarantine anew after that.`;
  if (standing === "changed") throw new StepFailed(`NetworkPolicy ${name} was changed since the plan`, left);
  await hold.check();
  const { kind } = await cluster.patchPolicy(namespace, name, exclusionPatch(exclusion, policy), operation);
  if (kind !== "conflict") return;
  if (tries <= 1) throw new StepFailed(`NetworkPolicy ${name} kept changing`, left);
  return changeOne(changing, exclusion, tries - 1);
}

/** Takes the changes back where they are still as Bulkhead made them; returns what it left alone, as sentences. */
export async function changePoliciesBack(
  changing: Changing,
  exclusions: readonly Exclusion[],
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const exclusion of exclusions) {
    const { namespace, name } = exclusion;
    const needing = await othersThatNeed(changing, exclusion);
    if (needing !== undefined) {
      left.push(
        `NetworkPolicy ${namespace}/${name} still leaves out quarantined pods, since it would let ${needing} talk: once that is released, take ${marks.quarantine} out of its spec.podSelector by hand.`,
      );
    } else if ((await changeBack(changing, exclusion, 3)) === "left") {
      left.push(`NetworkPolicy ${namespace}/${name} was changed by somebody since: its selector is left as it is.`);
    }
  }
  return left;
}

/** Another quarantined pod, which the selector as it was would select: giving it back would open that one. */
async function othersThatNeed({ cluster, operation }: Changing, exclusion: Exclusion): Promise<string | undefined> {
  const marked = await cluster.listPods(exclusion.namespace, marks.quarantine);
  const others = marked.filter(({ labels }) => labels[marks.quarantine] !== operation);
  return others.find(({ labels }) => selects(exclusion.before, labels))?.name;
}

async function changeBack(changing: Changing, exclusion: Exclusion, tries: number): Promise<"back" | "left"> {
  const { cluster, operation, hold } = changing;
  const { namespace, name } = exclusion;
  const policy = await find(cluster, exclusion);
  if (policy === undefined) return "left";
  const standing = standingOf(exclusion, policy);
  if (standing !== "after") return standing === "before" ? "back" : "left";
  await hold.check();
  const { kind } = await cluster.patchPolicy(namespace, name, inclusionPatch(exclusion, policy), operation);
  if (kind !== "conflict") return kind === "patched" ? "back" : "left";
  if (tries <= 1) throw new StepFailed(`NetworkPolicy ${name} kept changing`, "The quarantine is still in force.");
  return changeBack(changing, exclusion, tries - 1);
}

async function find(cluster: Cluster, { namespace, name }: Exclusion): Promise<NetworkPolicy | undefined> {
  const policies = await cluster.listPolicies("", namespace);
  return policies.find(({ metadata }) => metadata.name === name);
}
