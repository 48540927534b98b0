import { at, documentsOf, type ManifestFile, templateHints } from "./manifest-documents.ts";
import { type Findings, objectsOf } from "./manifest-objects.ts";
import type { WireObject } from "./model.ts";

/** A policy as a manifest declares it. */
export type Declared = {
  /** `payments/np.yaml: document 2`. */
  readonly place: string;
  /** metadata.namespace as it stands there: undefined also where the kind is namespaced and it names none. */
  readonly object: WireObject;
  readonly isNamespaced: boolean;
};

/** The policies in the files, of whatever API; other kinds are left out. */
export function readDeclared(files: readonly ManifestFile[]): Findings & { readonly policies: readonly Declared[] } {
  const findings: Findings = { broken: [], warnings: [] };
  const documents = files.flatMap((file) => {
    const read = documentsOf(file);
    findings.broken.push(...read.broken);
    return read.documents;
  });
  const policies = objectsOf(documents, findings).filter(({ is }) => is.role === "policy");
  const unnamed = policies.filter(({ name }) => name.endsWith("*"));
  findings.broken.push(
    ...unnamed.map(({ origin }) =>
      at(origin, "metadata.name", "is missing: what has generateName is compared with nothing"),
    ),
    ...templateHints(files, findings.broken),
  );
  return {
    ...findings,
    policies: policies.map(({ origin, apiVersion, kind, is, name, raw }) => ({
      place: at(origin, "", "").replace(/: $/, ""),
      isNamespaced: is.namespaced,
      object: { ...raw, apiVersion, kind, metadata: { name, namespace: is.namespaced ? namespaceIn(raw) : undefined } },
    })),
  };
}

function namespaceIn({ metadata }: Readonly<Record<string, unknown>>): string | undefined {
  const { namespace } = (metadata ?? {}) as { readonly namespace?: string | null };
  return namespace ?? undefined;
}
