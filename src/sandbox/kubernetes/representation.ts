import type { Answer } from "./exchange.ts";
import type { JsonObject } from "./json.ts";
import type { KubeObject } from "./objects.ts";
import { groupVersion, type Resource } from "./resources.ts";
import { asTable } from "./table.ts";

/** The form that a client wants its objects in, by its Accept header. */
export type Form = "object" | "metadata" | "table";

const meta = { apiVersion: "meta.k8s.io/v1" };

export function formOf(accept: string): Form {
  const wanted = accept.split(",").map((each) => /;as=(\w+)/.exec(each)?.[1] ?? "object");
  if (wanted[0] === "Table") return "table";
  return wanted[0]?.startsWith("PartialObjectMetadata") ? "metadata" : "object";
}

/** The body of an answer. */
export function represent(resource: Resource, answer: Answer, form: Form, now: number): JsonObject {
  switch (answer.type) {
    case "body":
      return answer.body;
    case "object":
      return one(answer.object, form, now);
    case "list":
      return many(resource, answer, form, now);
  }
}

/** One object, of an answer or of a watch event. */
export function one(object: KubeObject, form: Form, now: number): JsonObject {
  if (form === "table") return asTable([object], { resourceVersion: object.metadata.resourceVersion }, now);
  if (form === "metadata") return { kind: "PartialObjectMetadata", ...meta, metadata: object.metadata };
  return object;
}

function many(resource: Resource, { items, metadata }: Answer & { type: "list" }, form: Form, now: number): JsonObject {
  if (form === "table") return asTable(items, metadata, now);
  if (form === "metadata") {
    return {
      kind: "PartialObjectMetadataList",
      ...meta,
      metadata,
      items: items.map((item) => ({ metadata: item.metadata })),
    };
  }
  return { kind: `${resource.kind}List`, apiVersion: groupVersion(resource), metadata, items: items.map(withoutType) };
}

/** Items of a list bear neither kind nor apiVersion, as on the server. */
function withoutType(object: KubeObject): JsonObject {
  const { kind: _, apiVersion: __, ...rest } = object;
  return rest;
}
