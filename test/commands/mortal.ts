// oxlint-disable typescript/unbound-method -- what is wrapped here are plain functions in objects
import type { Outlet } from "../../src/commands/desk.ts";
import type { Services } from "../../src/commands/services.ts";
import type { Cluster } from "../../src/kubernetes/cluster.ts";

/** A replica that dies at one of its calls to the world. */
export type Mortal = {
  readonly services: Services;
  readonly outlet: Outlet;
  /** The calls so far, by name. */
  readonly calls: readonly string[];
  /** Resolves when it dies. */
  readonly dead: Promise<"dead">;
};

/** Dies at call number `at` (from 1): before the call was made, or after it took effect and before its answer came. */
export type Death = { readonly at: number; readonly when: "before" | "after" };

const forever = new Promise<never>(() => undefined);

/**
 * Services and an outlet of a replica that dies as by kill -9: from then on none of its calls does anything or comes
 * back. Only what changes the world counts; what it reads is not interesting.
 */
export function mortal(services: Services, outlet: Outlet, death: Death | undefined): Mortal {
  const calls: string[] = [];
  const { promise: dead, resolve: die } = Promise.withResolvers<"dead">();
  let isDead = false;

  const living =
    <A extends readonly unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (isDead) return forever;
      calls.push(name);
      const mine = calls.length === death?.at;
      if (mine && death.when === "after") await call(...args);
      if (mine) {
        isDead = true;
        die("dead");
        return forever;
      }
      const result = await call(...args);
      return isDead ? forever : result;
    };

  const entry = [...services.clusters][0];
  if (entry === undefined) throw new Error("no cluster");
  const [name, { cluster, enforcement }] = entry;
  const { anyPolicy } = cluster;
  const create = living("create", anyPolicy.create);
  const replace = living("replace", anyPolicy.replace);
  const remove = living("delete", anyPolicy.delete);
  const mortalCluster: Cluster = {
    ...cluster,
    createObject: living("createObject", cluster.createObject),
    patchPod: living("patchPod", cluster.patchPod),
    deleteObject: living("deleteObject", cluster.deleteObject),
    patchPolicy: living("patchPolicy", cluster.patchPolicy),
    anyPolicy: {
      ...anyPolicy,
      // Dry runs change nothing.
      create: (object, options) => (options?.dryRun === true ? anyPolicy.create(object, options) : create(object)),
      replace: (object, version, options) =>
        options?.dryRun === true ? anyPolicy.replace(object, version, options) : replace(object, version),
      delete: (reference, version, options) =>
        options?.dryRun === true ? anyPolicy.delete(reference, version, options) : remove(reference, version),
    },
  };
  const { operations, leases, audit, history } = services;
  return {
    calls,
    dead,
    outlet: { show: living("show", outlet.show) },
    services: {
      ...services,
      replica: "mortal",
      clusters: new Map([[name, { cluster: mortalCluster, enforcement }]]),
      operations: {
        ...operations,
        accept: living("accept", operations.accept),
        replace: living("replace", operations.replace),
        replaceAndHold: living("replaceAndHold", operations.replaceAndHold),
      },
      leases: {
        ...leases,
        renew: (lease) => (isDead ? forever : leases.renew(lease)),
        postpone: (lease, ms) => (isDead ? forever : leases.postpone(lease, ms)),
        end: living("end lease", leases.end),
      },
      audit: { ...audit, append: living("append", audit.append) },
      ...(history && {
        history: {
          ...history,
          attribute: living("attribute", history.attribute),
          markUndone: living("markUndone", history.markUndone),
        },
      }),
    },
  };
}
