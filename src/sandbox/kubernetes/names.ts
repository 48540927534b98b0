const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const qualified = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const value = `(${qualified})?`;

const subdomainForm = new RegExp(`^${label}(\\.${label})*$`);
const labelForm = new RegExp(`^${label}$`);
const serviceForm = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const qualifiedForm = new RegExp(`^${qualified}$`);
const valueForm = new RegExp(`^${value}$`);

/** Why the text is no RFC 1123 subdomain; undefined where it is one. The same holds for the rest of this file. */
export function subdomainProblem(text: string): string | undefined {
  if (text.length > 253) return "must be no more than 253 characters";
  if (subdomainForm.test(text)) return undefined;
  return `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${label}(\\.${label})*')`;
}

export function labelNameProblem(text: string): string | undefined {
  if (text.length > 63) return "must be no more than 63 characters";
  if (labelForm.test(text)) return undefined;
  return `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`;
}

/** RFC 1035, which Services must keep to. */
export function serviceNameProblem(text: string): string | undefined {
  if (text.length > 63) return "must be no more than 63 characters";
  if (serviceForm.test(text)) return undefined;
  return "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
}

/** Names of roles and bindings only need to fit into a path. */
export function pathSegmentProblem(text: string): string | undefined {
  return text === "." || text === ".." || /[/%]/.test(text)
    ? "may not be '.' or '..', or contain '/' or '%'"
    : undefined;
}

/** Keys of labels and annotations: `example.com/name` or `name`. */
export function qualifiedNameProblem(text: string): string | undefined {
  const parts = text.split("/");
  const name = parts.at(-1) ?? "";
  if (parts.length > 2) {
    return `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName', or 'my.name', or '123-abc', regex used for validation is '${qualified}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
  }
  const prefix = parts.length === 2 ? subdomainProblem(parts[0] ?? "") : undefined;
  if (prefix !== undefined) return `prefix part ${prefix}`;
  if (name.length > 63) return "name part must be no more than 63 characters";
  if (qualifiedForm.test(name)) return undefined;
  return `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName', or 'my.name', or '123-abc', regex used for validation is '${qualified}')`;
}

export function labelValueProblem(text: string): string | undefined {
  if (text.length > 63) return "must be no more than 63 characters";
  if (valueForm.test(text)) return undefined;
  return `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345', regex used for validation is '${value}')`;
}

/** IANA service names: what a named port may be called. */
export function portNameProblem(text: string): string | undefined {
  if (text.length > 15) return "must be no more than 15 characters";
  if (!/^[-a-z0-9]+$/.test(text)) return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
  if (!/[a-z]/.test(text)) return "must contain at least one letter (a-z)";
  if (/^-|-$|--/.test(text)) return "must not begin or end with a hyphen, or contain consecutive hyphens";
  return undefined;
}
