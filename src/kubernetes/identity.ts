import { X509Certificate } from "node:crypto";
import type { Principal } from "../policy/principal.ts";
import type { Connection } from "./connection.ts";
import { KubernetesError } from "./failure.ts";
import { reviewAccess } from "./permission.ts";

/** A terminal user's name, and where it comes from. */
export type Identity = Pick<Extract<Principal, { kind: "terminal" }>, "user" | "source">;

/**
 * Who the kubeconfig is: what the API server says (SelfSubjectReview: v1 since 1.28, earlier versions on request), else
 * the common name of the client certificate that it accepts, else the name that configuration gives, else unknown.
 * Throws KubernetesError where the server cannot be reached or refuses the credentials.
 */
export async function whoIs(connection: Connection, configuredUser?: string): Promise<Identity> {
  const reviewed = await reviewSelf(connection);
  if (reviewed !== undefined) return { user: reviewed, source: "self-subject-review" };
  const certified = await certifiedName(connection);
  if (certified !== undefined) return { user: certified, source: "client-certificate" };
  if (configuredUser) return { user: configuredUser, source: "configured" };
  return { user: undefined, source: "unknown" };
}

type RawReview = { readonly status?: { readonly userInfo?: { readonly username?: string } } };

async function reviewSelf(connection: Connection): Promise<string | undefined> {
  for (const version of ["v1", "v1beta1", "v1alpha1"]) {
    const body = { apiVersion: `authentication.k8s.io/${version}`, kind: "SelfSubjectReview" };
    const path = `/apis/authentication.k8s.io/${version}/selfsubjectreviews`;
    try {
      const review = (await connection.request("POST", path, { body, repeatable: true, reads: true })) as RawReview;
      return review.status?.userInfo?.username || undefined;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }
  return undefined;
}

/** Not served in this version, or not for this user. An API server answers 403 before it looks whether a path is there. */
function isUnavailable(error: unknown): boolean {
  return error instanceof KubernetesError && (error.code === 404 || error.code === 403);
}

/**
 * The user name of certificate authentication is the common name. It counts only where nothing else could have let the
 * caller in: no token or password beside it, no impersonation, and not the anonymous user, who may ask for no review.
 */
async function certifiedName(connection: Connection): Promise<string | undefined> {
  const { tls, headers } = await connection.credentials();
  if (tls.cert === undefined || headers["authorization"] || headers["impersonate-user"]) return undefined;
  const name = /^CN=(.+)$/m.exec(new X509Certificate(tls.cert).subject)?.[1];
  return name !== undefined && (await isAuthenticated(connection)) ? name : undefined;
}

/** Every authenticated user may ask what it may do (ClusterRole system:basic-user). */
async function isAuthenticated(connection: Connection): Promise<boolean> {
  try {
    await reviewAccess(connection, { verb: "get", group: "", plural: "pods", namespace: "default" });
    return true;
  } catch (error) {
    if (error instanceof KubernetesError && error.kind === "forbidden") return false;
    throw error;
  }
}
