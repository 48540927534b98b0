/** One pod of one cluster. */
export type Target = { readonly cluster: string; readonly namespace: string; readonly pod: string };

const dns1123Label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const dns1123Subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Whether the text can be a namespace's name (RFC 1123 label, at most 63 characters). */
export function isNamespaceName(text: string): boolean {
  return dns1123Label.test(text);
}

/** Whether the text can be a pod's name or the beginning of one (RFC 1123 subdomain, at most 253 characters). */
function isPodNamePrefix(text: string): boolean {
  return text.length <= 253 && dns1123Subdomain.test(text.replace(/[-.]$/, ""));
}

/** `payments/checkout-7d9f` into its two parts; undefined where the text is not of that form. */
export function parsePodReference(text: string): { namespace: string; pod: string } | undefined {
  const [namespace, pod, ...more] = text.split("/");
  if (namespace === undefined || pod === undefined || more.length > 0) return undefined;
  return isNamespaceName(namespace) && isPodNamePrefix(pod) ? { namespace, pod } : undefined;
}
