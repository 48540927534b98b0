import type { Cause } from "./status.ts";

/** The kinds of problems of a field, worded as the server words them (k8s.io/apimachinery field errors). */
export function required(field: string, message = ""): Cause {
  return { reason: "FieldValueRequired", message: `Required value${message === "" ? "" : `: ${message}`}`, field };
}

export function invalidValue(field: string, value: unknown, message: string): Cause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${JSON.stringify(value)}: ${message}`, field };
}

export function forbidden(field: string, message: string): Cause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${message}`, field };
}

export function unsupported(field: string, value: unknown, supported: readonly string[]): Cause {
  const values = supported.map((each) => `"${each}"`).join(", ");
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${values}`;
  return { reason: "FieldValueNotSupported", message, field };
}
