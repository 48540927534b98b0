/**
 * Whether the text can be an incident's id: letters, digits, `-`, `_` and `.`, at most 64 characters, beginning with a
 * letter or digit; `off` is none, since `incident off` unbinds. Such an id needs no escaping in a path, a shell or JSON.
 */
export function isIncidentId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text) && text.toLowerCase() !== "off";
}

/** How an id is typed, for usage answers. */
export const incidentForm =
  "An incident's id has letters, digits, dashes, underscores and dots, at most 64 of them, and begins with a letter or digit: INC-482.";

/** Whether the text is a valid label value (Kubernetes, "Labels and Selectors": at most 63, alphanumeric at both ends). */
export function isLabelValue(text: string): boolean {
  return /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text);
}
