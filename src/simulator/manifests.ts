import { at, documentsOf, type ManifestFile, type Origin, templateHints } from "./manifest-documents.ts";
import { type Findings, type ManifestObject, objectsOf } from "./manifest-objects.ts";
import { readNamespaceLabels, readPods, readService } from "./manifest-pods.ts";
import { podsOfWorkloads } from "./manifest-workloads.ts";
import type { SimulatedNamespace, WireObject } from "./model.ts";
import type { Snapshot } from "./snapshot.ts";
import { referenceTo, type Unreadable } from "./translate.ts";

export type Manifests = {
  /** Of what could be read. */
  readonly snapshot: Snapshot;
  /** What is wrong: a line each, by file, document and field. */
  readonly broken: readonly string[];
  readonly warnings: readonly string[];
  /** The same lines for policies that turn out to be unreadable when they are compiled. */
  readonly placed: (problems: readonly Unreadable[]) => readonly string[];
};

/** Every namespace has this label, set by the control plane (Kubernetes' documentation of NetworkPolicy). */
const nameLabel = "kubernetes.io/metadata.name";

/** A cluster as manifests describe it. Objects of kinds that do not matter are left out. */
export function readManifests(files: readonly ManifestFile[]): Manifests {
  const findings: Findings = { broken: [], warnings: [] };
  const documents = files.flatMap((file) => {
    const read = documentsOf(file);
    findings.broken.push(...read.broken);
    return read.documents;
  });
  const objects = objectsOf(documents, findings);
  const policies = objects.filter(({ is }) => is.role === "policy").map((object) => ({ object, wire: wireOf(object) }));
  const snapshot = snapshotOf(
    objects,
    policies.map(({ wire }) => wire),
    findings,
  );
  const origins = new Map(policies.map(({ object, wire }) => [JSON.stringify(referenceTo(wire)), object.origin]));
  return {
    snapshot,
    ...findings,
    broken: [...findings.broken, ...templateHints(files, findings.broken)],
    placed: (problems) => problems.flatMap((each) => placedIn(each, origins)),
  };
}

function snapshotOf(objects: readonly ManifestObject[], policies: readonly WireObject[], findings: Findings): Snapshot {
  const found = objects
    .filter(({ is }) => is.role === "pod" || is.role === "workload")
    .flatMap((object) => {
      const read = readPods(object, findings);
      return read === undefined ? [] : [{ object, ...read }];
    });
  const services = objects
    .filter(({ is }) => is.role === "service")
    .flatMap((object) => readService(object, findings) ?? []);
  return { namespaces: namespacesOf(objects, findings), pods: podsOfWorkloads(found), services, policies };
}

/** Those that are there, and those that something else is in. */
function namespacesOf(objects: readonly ManifestObject[], findings: Findings): readonly SimulatedNamespace[] {
  const labels = new Map<string, Readonly<Record<string, string>>>();
  for (const { namespace } of objects) if (namespace !== undefined) labels.set(namespace, {});
  for (const object of objects) {
    if (object.is.role === "namespace") labels.set(object.name, readNamespaceLabels(object, findings));
  }
  return [...labels]
    .map(([name, own]) => ({ name, labels: { ...own, [nameLabel]: name } }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function wireOf({ apiVersion, kind, namespace, name, raw }: ManifestObject): WireObject {
  const metadata = typeof raw["metadata"] === "object" ? raw["metadata"] : {};
  return { ...raw, apiVersion, kind, metadata: { ...metadata, name, namespace } };
}

function placedIn({ object, problems }: Unreadable, origins: ReadonlyMap<string, Origin>): readonly string[] {
  const name = `${object.kind} ${object.namespace === undefined ? "" : `${object.namespace}/`}${object.name}`;
  const origin = origins.get(JSON.stringify(object)) ?? { file: name, document: undefined, item: "" };
  return problems.map(({ field, message }) => at(origin, field, message));
}
