import type { Connection } from "./connection.ts";
import { resources } from "./resources.ts";
import { getObject } from "./writes.ts";

type RawConfigMap = { readonly data?: Readonly<Record<string, string>> | null };

/**
 * The `data` of a ConfigMap, so that a laptop reads the bot's configuration from the cluster; undefined where there is
 * none of that name. Throws KubernetesError (`forbidden` where the caller may not read it).
 */
export async function readConfigMap(
  connection: Connection,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  const raw = await getObject(connection, resources.configMaps, namespace, name);
  return raw === undefined ? undefined : ((raw as RawConfigMap).data ?? {});
}
