import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";

/** The checkout, with a slash at the end. */
export const checkout = fileURLToPath(new URL("../../", import.meta.url));

export type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
};

type Subject = { readonly kind: string; readonly name: string; readonly namespace?: string };

type Probe = { readonly httpGet: { readonly path: string; readonly port: string } };

type Container = {
  readonly image: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: ValueFrom }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly resources: unknown;
  readonly securityContext: unknown;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
};

type ValueFrom = {
  readonly secretKeyRef?: { readonly name: string; readonly key: string };
  readonly fieldRef?: { readonly fieldPath: string };
};

type PodSpec = {
  readonly serviceAccountName: string;
  readonly securityContext: unknown;
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly projected?: { readonly sources: unknown } }[];
  readonly [other: string]: unknown;
};

/** One object of our own manifests. The files are ours and the API server checks them, so a missing field is a test failure. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly Subject[];
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template: { readonly metadata: Manifest["metadata"]; readonly spec: PodSpec };
    readonly [other: string]: unknown;
  };
};

export type Kustomization = {
  readonly namespace?: string;
  readonly resources: readonly string[];
  readonly configMapGenerator?: readonly {
    readonly name: string;
    readonly files: readonly string[];
    readonly options?: { readonly disableNameSuffixHash?: boolean };
  }[];
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
};

/** Text of a file of the checkout. */
export function read(path: string): string {
  return readFileSync(`${checkout}${path}`, "utf8");
}

export function readYaml<T>(path: string): T {
  return parse(read(path)) as T;
}

/** The objects of one or more YAML documents. Throws at the first that does not parse. */
export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

/**
 * The objects in the files that a kustomization lists, as written: neither its namespace nor what it generates. This
 * needs no kubectl; what kubectl makes of it is in test/cluster/deploy.test.ts.
 */
export function readKustomization(folder: string): readonly Manifest[] {
  const { resources } = readYaml<Kustomization>(`${folder}/kustomization.yaml`);
  return resources.flatMap((file) => parseManifests(read(`${folder}/${file}`)));
}

/** The one object of this kind and name; throws where there is none. */
export function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1) throw new Error(`${found.length} objects ${kind}/${name}`);
  return found[0]!;
}
