import { canonicalJson } from "./canonical.ts";
import { exclude } from "./exclusion.ts";
import { marks } from "./marks.ts";
import type { Image, Revision } from "./revision.ts";

/**
 * Whether it may be undone where nobody names it: not what operations of ours wrote, whose ends are commands of their own, not
 * what an undo wrote, and not what has been undone. What only the object claims of whom it is from takes it out of reach of nobody.
 */
export function isCandidate(revision: Revision): boolean {
  const { undoneBy, owner } = revision;
  if (undoneBy !== undefined || owner !== undefined || operationOf(revision, /./) !== undefined) return false;
  return !isOurTier(revision) && !excludes(revision);
}

/**
 * The quarantine, lockdown, release or allowance of ours (`q-7f3kd2m`) whose object this is or that made this change, by what we
 * know ourselves. Such a change is undone by ending that. Undefined for all others.
 */
export function ownerOperation(revision: Pick<Revision, "owner" | "authors">): string | undefined {
  return revision.owner ?? operationOf(revision, /^[qlra]-/);
}

/** The operation whose object bears this name, if it is one of ours (`[engine.]bulkhead-OPERATION[-…]`). */
export function operationNamed(name: string): string | undefined {
  return /^(?:[a-z0-9-]+\.)?bulkhead-([qla]-[0-9a-hjkmnp-tv-z]{7})(?:-|$)/.exec(name)?.[1];
}

/** Shared by all operations, and made by the first of them: it stays. */
function isOurTier({ kind, name }: Revision): boolean {
  return kind === "Tier" && name === "bulkhead";
}

/** It makes the policy leave out quarantined pods and does nothing else: taking that back is refused (holdsBack). */
function excludes({ apiVersion, kind, namespace, name, uid, before, after }: Revision): boolean {
  if (apiVersion !== "networking.k8s.io/v1" || kind !== "NetworkPolicy" || before === undefined || after === undefined)
    return false;
  const metadata = { namespace: namespace ?? "", name, uid };
  const wanted = exclude({ apiVersion, kind, metadata, spec: before.spec })?.after;
  return (
    wanted !== undefined && canonicalJson({ ...before.spec, podSelector: wanted }) === canonicalJson(after.spec ?? {})
  );
}

/** The undo (`u-7f3kd2m`) that made this change. */
export function undoOf(revision: Pick<Revision, "authors">): string | undefined {
  return operationOf(revision, /^u-/);
}

function operationOf({ authors }: Pick<Revision, "authors">, form: RegExp): string | undefined {
  const ours = authors.find(
    (author) => author.kind === "operation" && author.claimed === undefined && form.test(author.operation),
  );
  return ours?.kind === "operation" ? ours.operation : undefined;
}

/**
 * Why a policy may not go back to this form: as it is it leaves out quarantined pods, and that form would select them again
 * (containment wins). Undefined where nothing stands against it.
 */
export function holdsBack(from: Image | undefined, to: Image | undefined): string | undefined {
  if (from === undefined || to === undefined || !leavesOut(from) || leavesOut(to)) return undefined;
  return "a quarantine made it leave out quarantined pods, and it would select them again";
}

function leavesOut({ spec }: Image): boolean {
  return canonicalJson(spec ?? {}).includes(`"${marks.quarantine}"`);
}
