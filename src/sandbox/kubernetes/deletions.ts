import { asServed } from "./events.ts";
import { type Answer, type Api, type Caller, isDryRun, stored } from "./exchange.ts";
import { selectorOf } from "./list.ts";
import { removalOf, removeObject } from "./remove.ts";
import type { ResourceRequest } from "./request.ts";

/** DELETE of one object: answered with a Status where it is gone, with the object where it is ending. A pod always comes along. */
export function deleteObject(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, name = "", query } = request;
  const removal = removalOf(caller.body, query, isDryRun(query, caller.body));
  const { gone, object } = removeObject(api, resource, stored(api, request), removal);
  if (!gone || resource.kind === "Pod") return { type: "object", code: 200, object: asServed(resource, object) };
  const details = {
    name,
    ...(resource.group === "" ? {} : { group: resource.group }),
    kind: resource.plural,
    uid: object.metadata.uid,
  };
  return {
    type: "body",
    code: 200,
    body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details },
  };
}

/** DELETE of all that the query selects. */
export function deleteObjects(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, namespace, query } = request;
  const removal = removalOf(caller.body, query, isDryRun(query, caller.body));
  const selected = api.store
    .list(resource.storage, namespace === "" ? undefined : namespace)
    .filter(selectorOf(request));
  const items = selected.map((object) => removeObject(api, resource, object, removal).object);
  return { type: "list", items, metadata: { resourceVersion: String(api.store.revision()) } };
}
