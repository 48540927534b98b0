import { z } from "zod";
import { canonicalJson } from "../policy/canonical.ts";
import { at, type ManifestDocument, type Origin } from "./manifest-documents.ts";
import { kindOf, type ManifestKind } from "./manifest-kinds.ts";
import { problemsOf } from "./problems.ts";

/** What is wrong, and what a reader should know though nothing is; a line each, by file, document and field. */
export type Findings = { readonly broken: string[]; readonly warnings: string[] };

/** An object of a kind that matters here. */
export type ManifestObject = {
  readonly origin: Origin;
  readonly apiVersion: string;
  readonly kind: string;
  readonly is: ManifestKind;
  /** `default` where a namespaced object names none; undefined for what is cluster-wide. */
  readonly namespace: string | undefined;
  readonly name: string;
  readonly raw: Readonly<Record<string, unknown>>;
};

/** What a document or an item of a List is read as; a List's own kind is the default of its items. */
type Candidate = {
  readonly origin: Origin;
  readonly value: unknown;
  readonly apiVersion?: string;
  readonly kind?: string;
};

/**
 * The objects of the documents, Lists opened, kinds that do not matter left out. The same object twice is taken once where
 * both say the same, and is broken where they differ: which of them would be in force depends on who applies them.
 */
export function objectsOf(documents: readonly ManifestDocument[], findings: Findings): readonly ManifestObject[] {
  const found = new Map<string, ManifestObject>();
  let unnamed = 0;
  for (const object of documents.flatMap((document) => open(document, findings))) {
    const key = `${object.apiVersion.split("/")[0]} ${object.kind} ${object.namespace ?? ""}/${object.name}`;
    const other = object.name.endsWith("*") ? undefined : found.get(key);
    if (other === undefined) found.set(object.name.endsWith("*") ? `${key}${++unnamed}` : key, object);
    else told(object, other, findings);
  }
  return [...found.values()];
}

function told(object: ManifestObject, other: ManifestObject, { broken, warnings }: Findings): void {
  const place = at(other.origin, "", "").replace(/: $/, "");
  const name = `${object.kind} ${object.namespace === undefined ? "" : `${object.namespace}/`}${object.name}`;
  const same = canonicalJson(object.raw) === canonicalJson(other.raw);
  if (same) warnings.push(at(object.origin, "", `${name} is also in ${place}, and is the same there`));
  else broken.push(at(object.origin, "metadata.name", `${name} is also in ${place}, and differs there`));
}

function open(candidate: Candidate, findings: Findings, depth = 0): readonly ManifestObject[] {
  const { origin, value } = candidate;
  if (!isMapping(value)) {
    if (Array.isArray(value) && !value.some(looksLikeObject))
      findings.warnings.push(at(origin, "", "is a list of no Kubernetes objects (no apiVersion, no kind): left out"));
    else
      findings.broken.push(
        at(origin, "", `is ${Array.isArray(value) ? "a list" : "plain text"}, no Kubernetes object`),
      );
    return [];
  }
  const typed = typeOf(value, candidate, findings);
  if (typed === undefined) return [];
  const { apiVersion, kind } = typed;
  const items = value["items"];
  if (kind.endsWith("List") && (kind === "List" || Array.isArray(items))) {
    return openList({ origin, value: items ?? [], apiVersion, kind }, findings, depth);
  }
  return read({ origin, value, apiVersion, kind }, findings);
}

type Type = { readonly apiVersion: string; readonly kind: string };

/** What the object says it is; undefined, and told, where it says none. */
function typeOf(value: Mapping, { origin, ...inherited }: Candidate, findings: Findings): Type | undefined {
  const apiVersion = value["apiVersion"] ?? inherited.apiVersion;
  const kind = value["kind"] ?? inherited.kind;
  if (typeof apiVersion === "string" && typeof kind === "string") return { apiVersion, kind };
  if (looksLikeObject({ ...value, apiVersion, kind })) {
    const [field, found] = typeof apiVersion === "string" ? ["kind", kind] : ["apiVersion", apiVersion];
    findings.broken.push(at(origin, field, found === undefined ? "is missing" : "must be text"));
  } else findings.warnings.push(at(origin, "", "is no Kubernetes object (no apiVersion, no kind): left out"));
  return undefined;
}

function looksLikeObject(value: unknown): boolean {
  return isMapping(value) && ["apiVersion", "kind", "metadata", "spec"].some((field) => value[field] !== undefined);
}

function openList(list: Required<Candidate>, findings: Findings, depth: number): readonly ManifestObject[] {
  const { origin, value: items, apiVersion } = list;
  if (!Array.isArray(items)) findings.broken.push(at(origin, "items", "must be a list"));
  if (depth > 10) findings.broken.push(at(origin, "items", "are Lists in Lists, too deep"));
  if (!Array.isArray(items) || depth > 10) return [];
  const kind = list.kind.slice(0, -"List".length);
  const inherited = kind === "" ? {} : { apiVersion, kind };
  return items.flatMap((value: unknown, i) => {
    const item = [origin.item, `items[${i}]`].filter((part) => part !== "").join(".");
    return open({ origin: { ...origin, item }, value, ...inherited }, findings, depth + 1);
  });
}

type Mapping = Readonly<Record<string, unknown>>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function read(
  { origin, value, apiVersion, kind }: Type & { readonly origin: Origin; readonly value: Mapping },
  findings: Findings,
): readonly ManifestObject[] {
  const is = kindOf(apiVersion, kind);
  if (is === undefined) return [];
  if ("unknown" in is) {
    findings[is.unknown].push(at(origin, is.field, is.message));
    return [];
  }
  const metadata = metadataSchema.safeParse({ metadata: value["metadata"] ?? {} });
  if (!metadata.success) {
    findings.broken.push(...problemsOf(metadata.error).map(({ field, message }) => at(origin, field, message)));
    return [];
  }
  const { name, generateName, namespace } = metadata.data.metadata;
  const own = name ?? (generateName === undefined ? "" : `${generateName}*`);
  if (name !== undefined && !dnsName.test(name))
    findings.warnings.push(at(origin, "metadata.name", `${name} ${noName}`));
  return [{ origin, apiVersion, kind, is, name: own, namespace: is.namespaced ? namespace : undefined, raw: value }];
}

const dnsName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

const noName = "is no name that Kubernetes takes (lower-case letters, digits, dashes, dots)";

const namespaceName = z.string().refine((text) => dnsName.test(text), noName);

/** One of upper-case letters or underscores is told, and taken: what the object means does not hang on it. */
const objectName = z.string().regex(/^[A-Za-z0-9._-]{1,253}$/, noName);

const metadataSchema = z.object({
  metadata: z
    .object({
      name: objectName.nullish().transform((name) => name ?? undefined),
      generateName: z
        .string()
        .regex(/^[a-z0-9][a-z0-9.-]*$/, "is no beginning of a name that Kubernetes takes")
        .nullish()
        .transform((name) => name ?? undefined),
      namespace: namespaceName.nullish().transform((name) => name ?? "default"),
    })
    .superRefine(({ name, generateName }, context) => {
      if (name === undefined && generateName === undefined)
        context.addIssue({ code: "custom", path: ["name"], message: "is missing" });
    }),
});
