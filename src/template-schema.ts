import { z } from "zod";
import { parseExactCidr } from "./policy/cidr.ts";
import { parseDuration } from "./policy/duration.ts";
import { isClusterName } from "./policy/target.ts";
import { longestTotalMs } from "./policy/template.ts";

/**
 * A template file, key by key; every key that is not here is a problem. Parameters and openings are read one by one
 * (template-file.ts), so that each is told what its own type takes.
 */
const line = (most: number) =>
  z
    .string()
    .min(1, "is empty")
    .max(most, `is longer than ${most} characters`)
    // Invisible and control characters could show another text than the one that was approved.
    .regex(/^[^\p{Cc}\p{Cf}]*$/u, "has control or invisible characters; it is one line of plain text");

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined && ms <= longestTotalMs) return ms;
  const message = ms === undefined ? `"${text}" is no time such as 30m or 1h30m` : "is more than 7d";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

const namespacePattern = z
  .string()
  .regex(/^([a-z0-9][-a-z0-9]*)?\*?$/, "is no namespace, prefix* or *")
  .min(1, "is empty");

const clusterPattern = z.union([z.literal("*"), z.string().refine(isClusterName, "is no cluster's name and no *")]);

/** Who approves is a person: the pod's shared principal is none. */
const approver = z
  .string()
  .regex(
    /^(slack:[A-Z0-9]+\/[UW][A-Z0-9]+|slack-group:[A-Z0-9]+\/S[A-Z0-9]+|person:.+|terminal:.+)$/,
    "is nobody who can approve: slack-group:TEAM/GROUP, slack:TEAM/USER (ids), person:NAME or terminal:USER",
  );

const templateName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/, "is no name (at most 40 lower-case letters, digits, dashes)");

export const templateFile = z.strictObject({
  version: z.literal(1, "is no version that is known; it is 1"),
  name: templateName,
  title: line(80),
  when: line(300),
  owner: line(80),
  procedure: z.string().regex(/^[a-z0-9][-a-z0-9]{0,60}\.md$/, "is no name of a file such as egress-to-cidr.md"),
  parameters: z.record(z.string(), z.unknown()).default({}),
  opens: z.array(z.unknown()).min(1, "opens nothing").max(20, "has more than 20 openings"),
  ttl: z.strictObject({ default: duration, max: duration, total: duration }),
  where: z.strictObject({ namespaces: z.array(namespacePattern), clusters: z.array(clusterPattern) }),
  approvals: z.strictObject({ count: z.int().min(0).max(5), from: z.array(approver).default([]) }),
  review: z.boolean().default(false),
  wide: z.boolean().default(false),
});

export const parameterName = /^[a-z][-a-z0-9]{0,29}$/;

const about = line(200);
const portNumber = z.int().min(1).max(65_535);
const exactCidr = z.string().superRefine((text, context) => {
  const cidr = parseExactCidr(text);
  if ("problem" in cidr) context.addIssue({ code: "custom", message: `${text} ${cidr.problem}` });
});

const text = z.strictObject({ type: z.enum(["workload", "namespace"]), about, default: line(320).optional() });

const port = z.strictObject({
  type: z.literal("port"),
  about,
  default: portNumber.optional(),
  min: portNumber.optional(),
  max: portNumber.optional(),
  oneOf: z.array(portNumber).min(1, "is empty").max(50, "has more than 50").optional(),
});

const cidr = z.strictObject({
  type: z.literal("cidr"),
  about,
  default: line(60).optional(),
  // What is wider is no emergency's block: a template names several instead.
  widest: z.strictObject({ ipv4: z.int().min(8).max(32).optional(), ipv6: z.int().min(16).max(128).optional() }),
  within: z.array(exactCidr).min(1, "is empty").max(50, "has more than 50").optional(),
});

const choice = z.strictObject({
  type: z.literal("choice"),
  about,
  default: line(320).optional(),
  oneOf: z.array(line(320)).min(1, "is empty").max(50, "has more than 50"),
});

/** By type. */
export const parameterSchemas = { workload: text, namespace: text, port, cidr, choice } as const;

/** `$name` is a parameter's value. */
const written = line(320);

const labelKey = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** By the one key that says what the end is. */
export const endSchemas = {
  workload: z.strictObject({ workload: written }),
  namespace: z.strictObject({
    namespace: written,
    pods: z
      .record(z.string().regex(labelKey, "is no label's key"), written)
      .refine((pods) => Object.keys(pods).length > 0, "is empty, which would be all pods: leave it out to mean that")
      .optional(),
  }),
  cidr: z.strictObject({ cidr: written, except: z.array(exactCidr).max(50, "has more than 50").default([]) }),
  dns: z.strictObject({ dns: z.literal(true) }),
  anywhere: z.strictObject({ anywhere: z.literal(true) }),
} as const;

const openingPort = z.strictObject({
  port: z.union([portNumber, written]),
  protocol: written.default("TCP"),
  endPort: portNumber.optional(),
});

export const openingSchema = z.strictObject({
  from: z.unknown(),
  to: z.unknown(),
  ports: z.array(openingPort).min(1, "is empty, which would be all ports").max(20, "has more than 20").optional(),
});
