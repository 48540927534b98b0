/**
 * Why a call came to nothing. `refused-by-server` is any other 4xx (400, 405, 415, 422 …); `not-kubernetes` is an
 * answer that no API server gives (HTML of a proxy); `unreachable` is a transport that broke or was never there;
 * `aborted` is the caller's own signal; `credentials` means that none could be had (kubeconfig, exec plugin, files).
 */
export type FailureKind =
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "conflict"
  | "expired"
  | "refused-by-server"
  | "throttled"
  | "server-error"
  | "not-kubernetes"
  | "unreachable"
  | "timeout"
  | "aborted"
  | "credentials";

/** `details` of a metav1.Status: the object that it speaks of, and the fields that were wrong. */
export type StatusDetails = {
  readonly name?: string;
  readonly kind?: string;
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
};

type Failure = {
  readonly kind: FailureKind;
  readonly message: string;
  readonly code?: number;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly sent?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
  readonly cluster?: string;
};

/** A call to the Kubernetes API that failed. The message is for people: no headers, no tokens; names in it are hostile. */
export class KubernetesError extends Error {
  /** The name of the cluster by configuration; empty where it has none. */
  readonly cluster: string;
  readonly kind: FailureKind;
  /** HTTP status; 0 where no answer came. */
  readonly code: number;
  /** `reason` of the Status (`AlreadyExists`, `Invalid` …); empty where there is none. */
  readonly reason: string;
  readonly details: StatusDetails;
  /** Whether a write may have taken effect all the same: the request went out and no refusal came back. */
  readonly mayHaveTakenEffect: boolean;
  /** What the server asked to wait before another try, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: Failure) {
    super(failure.message, { cause: failure.cause });
    this.name = "KubernetesError";
    this.cluster = failure.cluster ?? "";
    this.kind = failure.kind;
    this.code = failure.code ?? 0;
    this.reason = failure.reason ?? "";
    this.details = failure.details ?? {};
    this.mayHaveTakenEffect = failure.sent ?? false;
    this.retryAfterMs = failure.retryAfterMs;
  }
}

/** The same failure with the cluster's name before its message; as it is where it is named already, or the name is empty. */
export function ofCluster(error: KubernetesError, cluster: string): KubernetesError {
  if (cluster === "" || error.cluster !== "") return error;
  const { kind, code, reason, details, mayHaveTakenEffect: sent, retryAfterMs, cause } = error;
  const message = `cluster ${cluster}: ${error.message}`;
  return new KubernetesError({ kind, code, reason, details, sent, retryAfterMs, cause, cluster, message });
}

const unansweredKinds: readonly FailureKind[] = [
  "unauthorized",
  "throttled",
  "server-error",
  "not-kubernetes",
  "unreachable",
  "timeout",
  "credentials",
];

/** Whether the cluster could not be asked at all; a refusal or an absence, which are answers, is something else. */
export function isUnanswered(error: unknown): error is KubernetesError {
  return error instanceof KubernetesError && unansweredKinds.includes(error.kind);
}

/**
 * Whether the error says that this object is not there: a Status 404 about that name. The 404 of a missing namespace or
 * of an API that is not served is something else.
 */
export function isAbsent(error: unknown, name: string): boolean {
  return error instanceof KubernetesError && error.reason === "NotFound" && error.details.name === name;
}

/** Whether a precondition did not hold, or another write came in between. */
export function isConflict(error: unknown): boolean {
  return error instanceof KubernetesError && error.reason === "Conflict";
}

/** Whether nothing can be made there, since the namespace is being deleted: a 403 with that cause. */
export function isNamespaceTerminating(error: unknown): error is KubernetesError {
  if (!(error instanceof KubernetesError) || error.kind !== "forbidden") return false;
  return error.details.causes?.some(({ reason }) => reason === "NamespaceTerminating") ?? false;
}
