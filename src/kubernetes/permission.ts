import type { Permission } from "./cluster.ts";
import type { Connection } from "./connection.ts";

export type Attributes = {
  readonly verb: string;
  readonly group: string;
  readonly plural: string;
  readonly namespace: string;
};

type RawReview = { readonly status?: { readonly allowed?: boolean; readonly reason?: string } };

/** SelfSubjectAccessReview: what the authorizers of the API server say of this identity. No answer is a no. */
export async function reviewAccess(connection: Connection, attributes: Attributes): Promise<Permission> {
  const { verb, group, plural, namespace } = attributes;
  const review = (await connection.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    body: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { verb, group, resource: plural, namespace } },
    },
    repeatable: true,
    reads: true,
  })) as RawReview;
  return { allowed: review.status?.allowed === true, reason: review.status?.reason ?? "" };
}
