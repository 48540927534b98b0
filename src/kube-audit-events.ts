import { z } from "zod";
import type { Attribution } from "./history/history.ts";
import { policyApis } from "./kubernetes/policy-apis.ts";

/**
 * Who made which version of a policy, by the API server's audit events (audit.k8s.io/v1, EventList): of each write that was
 * carried out, with when the server received it. Batches come out of order, and what changed nothing answers with the version of
 * the write before: of several who are told of one version the first made it. Undefined where it is no such list.
 */
export function attributionsOf(cluster: string, body: unknown): readonly Attribution[] | undefined {
  const list = eventList.safeParse(body);
  if (!list.success) return undefined;
  return list.data.items
    .flatMap((item) => event.safeParse(item).data ?? [])
    .filter(isWriteOfPolicy)
    .flatMap((one) => versionsOf(one).map((version) => ({ cluster, ...version, author: authorOf(one) })));
}

/** Names from outside, as long as Kubernetes' own may be; a longer one is cut. */
const text = z.string().transform((value) => value.slice(0, 256));
const groups = z
  .array(text)
  .transform((all) => all.slice(0, 50))
  .default([]);
const user = z.object({ username: text, groups });
const meta = z.object({ uid: z.string().max(64), resourceVersion: z.string().max(64) });

const eventList = z.object({
  kind: z.literal("EventList"),
  apiVersion: z.literal("audit.k8s.io/v1"),
  items: z.array(z.unknown()),
});

const event = z.object({
  stage: z.literal("ResponseComplete"),
  requestURI: z.string(),
  verb: z.enum(["create", "update", "patch", "delete", "deletecollection"]),
  user,
  impersonatedUser: user.optional(),
  userAgent: text.optional(),
  objectRef: z.object({
    resource: z.string(),
    apiGroup: z.string().default(""),
    subresource: z.string().optional(),
  }),
  responseStatus: z.object({ code: z.int() }),
  requestObject: z
    .object({ dryRun: z.array(z.string()).optional() })
    .optional()
    .catch(undefined),
  /** The object; of a deletion its last form, or a Status that names its uid; of many a list. */
  responseObject: z
    .object({
      metadata: meta.partial().optional(),
      details: meta.pick({ uid: true }).partial().optional(),
      items: z.array(z.object({ metadata: meta.partial() })).optional(),
    })
    .optional()
    .catch(undefined),
  requestReceivedTimestamp: z.string().default(""),
});

type Event = z.infer<typeof event>;

function isWriteOfPolicy({ objectRef, responseStatus, requestURI, requestObject }: Event): boolean {
  const { apiGroup, resource, subresource } = objectRef;
  const isPolicy =
    (apiGroup === "networking.k8s.io" && resource === "networkpolicies") ||
    policyApis.some(({ group, plurals }) => group === apiGroup && plurals.includes(resource));
  const isDone = responseStatus.code >= 200 && responseStatus.code < 300;
  return isPolicy && isDone && subresource === undefined && !isDryRun(requestURI) && !requestObject?.dryRun?.length;
}

function isDryRun(requestUri: string): boolean {
  return new URLSearchParams(requestUri.split("?")[1] ?? "").has("dryRun");
}

/** At level Metadata there is no object, and nothing can be said. */
function versionsOf({ verb, responseObject = {} }: Event): readonly Pick<Attribution, "uid" | "resourceVersion">[] {
  const { metadata = {}, details = {}, items = [] } = responseObject;
  if (verb === "delete" || verb === "deletecollection") {
    const uids = [details.uid, metadata.uid, ...items.map((item) => item.metadata.uid)];
    return uids.flatMap((uid) => (uid === undefined ? [] : [{ uid, resourceVersion: "deleted" }]));
  }
  const { uid, resourceVersion } = metadata;
  return uid === undefined || resourceVersion === undefined ? [] : [{ uid, resourceVersion }];
}

function authorOf(event: Event): Attribution["author"] {
  const { user: authenticated, impersonatedUser, userAgent } = event;
  const receivedAt = Date.parse(event.requestReceivedTimestamp);
  const { username, groups: of } = impersonatedUser ?? authenticated;
  return {
    kind: "user",
    user: username,
    groups: of,
    ...(impersonatedUser === undefined ? {} : { impersonatedBy: authenticated.username }),
    ...(userAgent === undefined ? {} : { agent: userAgent }),
    ...(Number.isNaN(receivedAt) ? {} : { receivedAt }),
  };
}
