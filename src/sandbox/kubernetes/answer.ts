import { review } from "./access.ts";
import { applyObject } from "./apply-request.ts";
import { readDraft } from "./body.ts";
import { createObject, patchObject, updateObject } from "./changes.ts";
import { deleteObject, deleteObjects } from "./deletions.ts";
import { asServed } from "./events.ts";
import { type Answer, type Api, type Caller, stored } from "./exchange.ts";
import { listObjects } from "./list.ts";
import type { ResourceRequest } from "./request.ts";
import { groupVersion } from "./resources.ts";
import { methodNotAllowed } from "./status.ts";

/** Everything but watches. Refusals throw StatusError. */
export function answer(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource } = request;
  if (resource.type === "review") return answerReview(api, request, caller);
  switch (request.verb) {
    case "get":
      return { type: "object", code: 200, object: stored(api, request) };
    case "list": {
      const { items, metadata } = listObjects(api.store, request);
      return { type: "list", items: items.map((object) => asServed(resource, object)), metadata };
    }
    case "create":
      return createObject(api, request, caller);
    case "update":
      return updateObject(api, request, caller);
    case "patch":
      return caller.contentType.startsWith("application/apply-patch")
        ? applyObject(api, request, caller)
        : patchObject(api, request, caller);
    case "delete":
      return deleteObject(api, request, caller);
    case "deletecollection":
      return deleteObjects(api, request, caller);
    case "watch":
      throw methodNotAllowed();
  }
}

function answerReview({ authorizer }: Api, { resource, verb }: ResourceRequest, { user, body }: Caller): Answer {
  if (verb !== "create") throw methodNotAllowed();
  const { draft } = readDraft(resource, body, "Ignore");
  return {
    type: "body",
    code: 201,
    body: review(resource.kind, { ...draft, apiVersion: groupVersion(resource) }, user, authorizer),
  };
}
