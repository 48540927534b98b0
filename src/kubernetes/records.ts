import { fieldManagers } from "../policy/marks.ts";
import type { Connection } from "./connection.ts";
import { isAbsent, isConflict, KubernetesError } from "./failure.ts";
import { listAll } from "./list.ts";
import type { RawObject } from "./parse.ts";
import { collectionPath, objectPath, resources } from "./resources.ts";
import { deleteObject, getObject } from "./writes.ts";

/** One record: a ConfigMap of the bot's namespace with one JSON document in it. */
export type StoredRecord = {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The JSON document under the key `record`. */
  readonly text: string;
};

/**
 * Durable records in ConfigMaps of the bot's own namespace, for an operation that starts where Redis cannot be
 * reached, and what the reaper says. Labelled `bulkhead.dev/record`: `operation` or `reaper`.
 */
export type Records = {
  /** POST; `exists` where the name is taken already. */
  create(name: string, text: string): Promise<"created" | "exists">;
  get(name: string): Promise<StoredRecord | undefined>;
  list(): Promise<readonly StoredRecord[]>;
  /** Conditional on the resourceVersion that was read. */
  replace(record: StoredRecord, text: string): Promise<"replaced" | "conflict" | "gone">;
  remove(record: StoredRecord): Promise<"deleted" | "conflict" | "gone">;
};

const mark = "bulkhead.dev/record";
const key = "record";
type Kind = "operation" | "reaper";
const query = { fieldManager: fieldManagers.objects, fieldValidation: "Strict" };

/** The namespace is the bot's own. Calls throw KubernetesError where the server cannot be reached or refuses. */
export function createRecords(connection: Connection, namespace: string, kind: Kind = "operation"): Records {
  const place = { namespace, kind };
  return {
    create: (name, text) => create(connection, place, { name, text }),
    get: (name) => get(connection, namespace, name),
    async list() {
      const path = collectionPath(resources.configMaps, namespace);
      return (await listAll(connection, path, parseRecord, { labelSelector: `${mark}=${kind}` })).items;
    },
    replace: (record, text) => replace(connection, place, { ...record, text }),
    async remove({ name, uid, resourceVersion }) {
      const preconditions = { uid, resourceVersion };
      return (await deleteObject(connection, resources.configMaps, { namespace, name }, preconditions)).kind;
    },
  };
}

type Place = { readonly namespace: string; readonly kind: Kind };

/** Where no answer came, the record that is there decides: the same text is ours. */
async function create(
  connection: Connection,
  { namespace, kind }: Place,
  { name, text }: Pick<StoredRecord, "name" | "text">,
): Promise<"created" | "exists"> {
  try {
    const body = configMap({ name, namespace }, text, kind);
    await connection.request("POST", collectionPath(resources.configMaps, namespace), { query, body });
    return "created";
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    if (error.reason === "AlreadyExists") return "exists";
    if (!error.mayHaveTakenEffect) throw error;
    const stored = await get(connection, namespace, name).catch(() => undefined);
    if (stored === undefined) throw error;
    return stored.text === text ? "created" : "exists";
  }
}

async function get(connection: Connection, namespace: string, name: string): Promise<StoredRecord | undefined> {
  const raw = await getObject(connection, resources.configMaps, namespace, name);
  return raw === undefined ? undefined : parseRecord(raw);
}

async function replace(
  connection: Connection,
  { namespace, kind }: Place,
  { name, uid, resourceVersion, text }: StoredRecord,
): Promise<"replaced" | "conflict" | "gone"> {
  try {
    const body = configMap({ name, namespace, uid, resourceVersion }, text, kind);
    await connection.request("PUT", objectPath(resources.configMaps, namespace, name), { query, body });
    return "replaced";
  } catch (error) {
    if (isAbsent(error, name)) return "gone";
    if (isConflict(error)) return "conflict";
    throw error;
  }
}

function configMap(metadata: NonNullable<RawObject["metadata"]>, text: string, kind: Kind) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...metadata, labels: { [mark]: kind } },
    data: { [key]: text },
  };
}

type RawConfigMap = RawObject & { readonly data?: Readonly<Record<string, string>> | null };

function parseRecord(raw: unknown): StoredRecord {
  const { metadata = {}, data } = raw as RawConfigMap;
  const { name = "", uid = "", resourceVersion = "" } = metadata;
  return { name, uid, resourceVersion, text: data?.[key] ?? "" };
}
