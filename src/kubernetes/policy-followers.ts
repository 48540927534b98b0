import { KubernetesError } from "./failure.ts";
import type { ListedPolicies, PolicyFollower } from "./policy-kind-watch.ts";
import type { Served } from "./served-kinds.ts";

/** Who is told of sights. One that throws is reported, and the others are told. */
export function createFollowers(report: (error: unknown, path: string) => void) {
  const followers = new Set<PolicyFollower>();
  const safely = (tell: () => void): void => {
    try {
      tell();
    } catch (error) {
      report(error, "a follower of policies");
    }
  };
  const guarded = (follower: PolicyFollower): Required<PolicyFollower> => ({
    onSights: (sights) => safely(() => follower.onSights(sights)),
    onListed: (listed: ListedPolicies) => safely(() => follower.onListed?.(listed)),
  });
  const all: Required<PolicyFollower> = {
    onSights: (sights) => {
      for (const follower of followers) guarded(follower).onSights(sights);
    },
    onListed: (listed) => {
      for (const follower of followers) guarded(follower).onListed(listed);
    },
  };
  return {
    all,
    guarded,
    add(follower: PolicyFollower) {
      followers.add(follower);
      return () => void followers.delete(follower);
    },
  };
}

/**
 * What is told: a kind that may not be read once until it is; one that is not there any more never, but `look` is called. A group that
 * does not say what it serves is told the second time in a row: one that comes or goes answers 404 for a moment.
 */
export function createProblems(tell: (error: unknown, path: string) => void, look: () => void) {
  const told = new Set<string>();
  let silent = new Set<string>();
  const once = (what: string, error: unknown, path: string): void => {
    if (!told.has(what)) tell(error, path);
    told.add(what);
  };
  return {
    report: (error: unknown, path: string): void => {
      const kind = error instanceof KubernetesError ? error.kind : undefined;
      if (kind === "not-found") look();
      else if (kind === "forbidden") once(path, error, path);
      else tell(error, path);
    },
    worked: (path: string) => void told.delete(path),
    undiscovered({ why, unread }: Served): void {
      const groups = unread.map((each) => ({ path: `/apis/${each.groupVersion}`, why: each.why }));
      const failures = [
        ...(why === undefined ? [] : [{ path: "/apis", why }]),
        ...groups.filter(({ path }) => silent.has(path)),
      ];
      silent = new Set(groups.map(({ path }) => path));
      for (const path of told) if (isDiscovery(path) && !failures.some((each) => each.path === path)) told.delete(path);
      for (const { path, why: reason } of failures) once(path, new Error(reason), path);
    },
  };
}

/** `/apis/group/version`, and no collection in it. */
function isDiscovery(path: string): boolean {
  return path.split("/").length <= 4;
}
