import type { JsonObject } from "./json.ts";
import { put } from "./json.ts";
import { unsupportedMediaType } from "./status.ts";

/** What a message looks like: field number → member name and what it holds. */
type Message = ReadonlyMap<number, readonly [name: string, type: "text" | "flag" | "texts" | Message]>;

const metadata: Message = new Map([
  [1, ["name", "text"]],
  [2, ["generateName", "text"]],
  [3, ["namespace", "text"]],
  [11, ["labels", "texts"]],
  [12, ["annotations", "texts"]],
] as const);
const resourceAttributes: Message = new Map([
  [1, ["namespace", "text"]],
  [2, ["verb", "text"]],
  [3, ["group", "text"]],
  [4, ["version", "text"]],
  [5, ["resource", "text"]],
  [6, ["subresource", "text"]],
  [7, ["name", "text"]],
] as const);
const nonResourceAttributes: Message = new Map([
  [1, ["path", "text"]],
  [2, ["verb", "text"]],
] as const);
const accessSpec: Message = new Map<number, readonly [string, Message]>([
  [1, ["resourceAttributes", resourceAttributes]],
  [2, ["nonResourceAttributes", nonResourceAttributes]],
]);

/** What kubectl sends in protobuf only: `auth can-i`, `auth whoami`, `create namespace`. */
const messages = new Map<string, Message>([
  [
    "SelfSubjectAccessReview",
    new Map<number, readonly [string, Message]>([
      [1, ["metadata", metadata]],
      [2, ["spec", accessSpec]],
    ]),
  ],
  [
    "SelfSubjectRulesReview",
    new Map<number, readonly [string, Message]>([
      [1, ["metadata", metadata]],
      [2, ["spec", new Map([[1, ["namespace", "text"]]] as const)]],
    ]),
  ],
  ["SelfSubjectReview", new Map<number, readonly [string, Message]>([[1, ["metadata", metadata]]])],
  ["Namespace", new Map<number, readonly [string, Message]>([[1, ["metadata", metadata]]])],
]);

/** The envelope around every message: runtime.Unknown, after the magic number. */
const envelope: Message = new Map<number, readonly [string, "text" | Message]>([
  [
    1,
    [
      "type",
      new Map([
        [1, ["apiVersion", "text"]],
        [2, ["kind", "text"]],
      ] as const),
    ],
  ],
]);

/** Kubernetes puts the bytes `k8s\0` before its protobuf messages. */
export function isProtobuf(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).toString("latin1") === "k8s\0";
}

/** The few messages above as JSON; 415 for every other kind. */
export function decodeProtobuf(bytes: Buffer): JsonObject {
  const outer = bytes.subarray(4);
  const type = read(outer, envelope)["type"];
  const kind = typeof type === "object" && type !== null && "kind" in type ? String(type.kind) : "";
  const message = messages.get(kind);
  const raw = fieldsOf(outer).find(({ number }) => number === 2)?.bytes ?? Buffer.alloc(0);
  if (message === undefined) {
    throw unsupportedMediaType(
      `protobuf bodies of kind ${kind} are not supported by the sandbox: send application/json (kubectl apply -f does)`,
    );
  }
  return { ...(typeof type === "object" ? type : {}), metadata: {}, ...read(raw, message) };
}

function read(bytes: Buffer, message: Message): JsonObject {
  const result: JsonObject = {};
  for (const field of fieldsOf(bytes)) {
    const [name, type] = message.get(field.number) ?? [];
    if (name === undefined || type === undefined) continue;
    if (type === "text") result[name] = field.bytes.toString("utf8");
    else if (type === "flag") result[name] = field.varint !== 0;
    else if (type !== "texts") result[name] = read(field.bytes, type);
    else result[name] = { ...(typeof result[name] === "object" ? result[name] : {}), ...entry(field.bytes) };
  }
  return result;
}

function entry(bytes: Buffer): JsonObject {
  const [key, value] = fieldsOf(bytes).map((field) => field.bytes.toString("utf8"));
  const result: JsonObject = {};
  put(result, key ?? "", value ?? "");
  return result;
}

type Field = { readonly number: number; readonly varint: number; readonly bytes: Buffer };

function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let position = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; position < bytes.length; shift *= 128) {
      const byte = bytes[position++] ?? 0;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (position < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    if (tag % 8 === 0) fields.push({ number, varint: varint(), bytes: Buffer.alloc(0) });
    else if (tag % 8 === 2) {
      const length = varint();
      fields.push({ number, varint: 0, bytes: bytes.subarray(position, position + length) });
      position += length;
    } else position += tag % 8 === 1 ? 8 : 4;
  }
  return fields;
}
