import type { JsonObject } from "./json.ts";

/** One problem of one field, as in metav1.StatusCause. */
export type Cause = { readonly reason: string; readonly message: string; readonly field: string };

/** metav1.Status of a refusal. */
export type Status = {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: JsonObject;
  readonly status: "Failure";
  readonly message: string;
  readonly reason?: string;
  readonly details?: JsonObject;
  readonly code: number;
};

/** What a refusal names: a resource by its plural, or a kind where the server names that. */
export type Subject = { readonly group: string; readonly kind: string; readonly name: string };

/** Ends a request with this Status as its answer. */
export class StatusError extends Error {
  readonly status: Status;

  constructor(code: number, reason: string | undefined, message: string, details?: JsonObject) {
    super(message);
    this.status = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, "BadRequest", message);
}

export function notFound(subject: Subject): StatusError {
  return new StatusError(404, "NotFound", `${qualified(subject)} "${subject.name}" not found`, details(subject));
}

/** A path that no resource serves. */
export function noSuchResource(): StatusError {
  return new StatusError(404, "NotFound", "the server could not find the requested resource", {});
}

export function alreadyExists(subject: Subject): StatusError {
  const message = `${qualified(subject)} "${subject.name}" already exists`;
  return new StatusError(409, "AlreadyExists", message, details(subject));
}

export function conflict(subject: Subject, because: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name}": ${because}`;
  return new StatusError(409, "Conflict", message, details(subject));
}

export function invalid(subject: Subject, causes: readonly Cause[]): StatusError {
  const list = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = list.length === 1 ? list.join("") : `[${list.join(", ")}]`;
  const message = `${qualified(subject)} "${subject.name}" is invalid: ${text}`;
  return new StatusError(422, "Invalid", message, { ...details(subject), causes });
}

export function expired(message: string): StatusError {
  return new StatusError(410, "Expired", message);
}

export function unsupportedMediaType(message: string): StatusError {
  return new StatusError(415, "UnsupportedMediaType", message);
}

export function methodNotAllowed(): StatusError {
  const message = "the server does not allow this method on the requested resource";
  return new StatusError(405, "MethodNotAllowed", message, {});
}

function qualified({ group, kind }: Subject): string {
  return group === "" ? kind : `${kind}.${group}`;
}

function details({ group, kind, name }: Subject): JsonObject {
  return { ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), kind };
}
