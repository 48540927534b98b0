import { z } from "zod";
import type { LabelSelector, LabelSelectorRequirement } from "../policy/objects.ts";
import { parseCidr } from "./addresses.ts";
import { fields } from "./fields.ts";
import { protocols } from "./ports.ts";

/** What most policy APIs share, as the API server validates it. */

const word = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const dnsName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

const labelKey = z.string().refine(isLabelKey, "is no label key such as app or app.kubernetes.io/name");

const labelValue = z.string().refine(isLabelValue, "is no label value (at most 63 letters, digits, dashes, dots)");

/** metav1.LabelSelector. */
export const labelSelector = selectorWithKeys(labelKey);

/** A LabelSelector whose keys are those of an API's own. */
export function selectorWithKeys(key: z.ZodType<string, string>): z.ZodType<LabelSelector> {
  const requirement = fields({
    key,
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
    values: z.array(labelValue).exactOptional(),
  }).superRefine(hasItsValues);
  return fields({
    matchLabels: z.preprocess(withoutPrototype, z.record(key, labelValue)).exactOptional(),
    matchExpressions: z.array(requirement).exactOptional(),
  });
}

/** A record leaves this key out in silence, so that the selector would select more than it says. */
function withoutPrototype(value: unknown, context: z.RefinementCtx): unknown {
  if (typeof value === "object" && value !== null && Object.hasOwn(value, "__proto__"))
    context.addIssue({ code: "custom", path: ["__proto__"], message: "is no label key" });
  return value;
}

export const protocol = z.enum(protocols);

export const portNumber = z.int().min(1).max(65_535);

/** The name of a container's port (IANA_SVC_NAME). */
export const portName = z
  .string()
  .refine(isPortName, "is no port's name (at most 15 lower-case letters, digits and dashes, one letter at least)");

export const cidr = z.string().refine((text) => parseCidr(text) !== undefined, "is no CIDR such as 10.1.0.0/16");

export function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  return slash === -1 ? word.test(key) : dnsName.test(key.slice(0, slash)) && word.test(key.slice(slash + 1));
}

function isLabelValue(value: string): boolean {
  return value === "" || word.test(value);
}

function hasItsValues({ operator, values = [] }: LabelSelectorRequirement, context: z.RefinementCtx): void {
  const needed = operator === "In" || operator === "NotIn";
  if (needed === values.length > 0) return;
  const message = needed ? `must have a value, as the operator is ${operator}` : `must be absent with ${operator}`;
  context.addIssue({ code: "custom", path: ["values"], message });
}

function isPortName(name: string): boolean {
  return /^(?=.*[a-z])[a-z0-9](-?[a-z0-9]){0,14}$/.test(name) && name.length <= 15;
}
