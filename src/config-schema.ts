import ipaddr from "ipaddr.js";
import { z } from "zod";
import { flowsSchema } from "./config-flows-schema.ts";
import { clusterName, duration, positiveDuration } from "./config-values.ts";
import { watchSchema } from "./config-watch.ts";
import { verbs } from "./policy/access.ts";
import { isNamespaceName } from "./policy/target.ts";

const namespace = z.string().refine(isNamespaceName, "is no namespace's name");

const cidr = z.string().refine(isCidr, "is no CIDR such as 10.1.0.0/16");

const labelSelector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string(),
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});

const portNumber = z.int().min(1).max(65_535);

const port = z.strictObject({
  protocol: z.enum(["TCP", "UDP", "SCTP"]).optional(),
  port: z.union([portNumber, z.string().min(1).max(15)]).optional(),
  endPort: portNumber.optional(),
});

const endpoint = z
  .strictObject({
    name: z.string().min(1).max(63),
    direction: z.enum(["ingress", "egress", "both"]),
    podSelector: labelSelector.optional(),
    namespaceSelector: labelSelector.optional(),
    ipBlock: z.strictObject({ cidr, except: z.array(cidr).optional() }).optional(),
    ports: z.array(port).default([]),
  })
  .refine(hasOnePeer, {
    error: "needs either ipBlock, or podSelector and/or namespaceSelector",
    // Told beside what else is wrong with it.
    when: ({ value }) => typeof value === "object" && value !== null,
  });

const principal = z
  .string()
  .regex(
    /^(slack:[A-Z0-9]+\/[UW][A-Z0-9]+|slack-group:[A-Z0-9]+\/S[A-Z0-9]+|person:.+|terminal:.+|in-pod)$/,
    "is no principal: slack:TEAM/USER or slack-group:TEAM/GROUP (ids), person:NAME, terminal:USER or in-pod",
  );

const person = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/, "is no name (lower-case letters, digits, dashes, dots)"),
  ids: z
    .array(
      z.string().regex(/^(slack:[A-Z0-9]+\/[UW][A-Z0-9]+|terminal:.+)$/, "is no id: slack:TEAM/USER or terminal:USER"),
    )
    .min(1),
});

const accessRule = z.strictObject({
  principals: z.array(principal),
  verbs: z.array(z.enum(["*", ...verbs])),
  namespaces: z.array(z.string().regex(/^([a-z0-9][-a-z0-9]*)?\*?$/, "is no namespace, prefix* or *")),
  clusters: z.array(z.union([z.literal("*"), clusterName])).optional(),
});

const cluster = z.strictObject({
  name: clusterName,
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  enforcement: z.enum(["enforced", "not-enforced", "unknown"]).default("unknown"),
});

/** Where the image's volume is mounted (deploy/). */
const defaultSpool = "/var/lib/bulkhead/spool";

/** How long an exported entry stays in Redis: 90 days, as long as an ended operation. */
const defaultKeepMs = 90 * 86_400_000;

const dayMs = 86_400_000;

const canaryDefaults = {
  namespace: "bulkhead-canary",
  tolerateTaints: false,
  start: 120_000,
  timeout: 30_000,
  keep: dayMs,
};

const labelKey = z
  .string()
  .regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/, "is no label's key");

/** What verify-enforcement uses: deploy/components/canary. */
const canary = z
  .strictObject({
    namespace: namespace.default(canaryDefaults.namespace),
    image: z.string().min(1).optional(),
    nodePoolLabel: labelKey.optional(),
    tolerateTaints: z.boolean().default(canaryDefaults.tolerateTaints),
    start: positiveDuration.default(canaryDefaults.start),
    timeout: positiveDuration.default(canaryDefaults.timeout),
    // Detection forgets what is older (engines/detect.ts): agents and switches change.
    keep: positiveDuration.refine((ms) => ms <= dayMs, "can be at most 24h").default(canaryDefaults.keep),
  })
  .default(canaryDefaults);
const defaultLimits = { pods: 5, perPerson: 10, perCluster: 30 };

const defaultApprovals = { expireAfter: 900_000 };
const defaultHistory = { keepFor: 30 * dayMs, perPolicy: 50 };
const defaultBreakGlass = { maxTtl: 900_000 };

/** The configuration file, key by key. Every key that is not here is a problem, not ignored. */
export const configFile = z.strictObject({
  clusters: z
    .array(cluster)
    .min(1, "names no cluster")
    .default([{ name: "default", enforcement: "unknown" }]),
  /** The cluster that Bulkhead's own namespace, records and Redis are in. */
  home: clusterName.optional(),
  /** Which cluster a command means that names none, in these channels and everywhere else. */
  channels: z.record(z.string().regex(/^[CDG][A-Z0-9]+$/, "is no channel's id"), clusterName).default({}),
  defaultCluster: clusterName.optional(),
  settle: duration.default(2_000),
  realise: duration.default(15_000),
  calico: z.strictObject({ writeStorage: z.boolean().default(false) }).default({ writeStorage: false }),
  quarantine: z.strictObject({ detach: z.boolean().default(true) }).default({ detach: true }),
  rollback: z
    .strictObject({ approvals: z.int().min(0).default(1), suspendFlux: z.boolean().default(false) })
    .default({ approvals: 1, suspendFlux: false }),
  allow: z.strictObject({ requireReaper: z.boolean().default(true) }).default({ requireReaper: true }),
  limits: z
    .strictObject({
      pods: z.int().min(1).default(defaultLimits.pods),
      perPerson: z.int().min(1).default(defaultLimits.perPerson),
      perCluster: z.int().min(1).default(defaultLimits.perCluster),
    })
    .default(defaultLimits),
  approvals: z
    .strictObject({ expireAfter: positiveDuration.default(defaultApprovals.expireAfter) })
    .default(defaultApprovals),
  breakGlass: z.strictObject({ maxTtl: positiveDuration.default(defaultBreakGlass.maxTtl) }).default(defaultBreakGlass),
  drift: z.strictObject({ restore: z.int().min(0).max(10).default(0) }).default({ restore: 0 }),
  protectedNamespaces: z.array(namespace).default(["kube-system"]),
  endpoints: z
    .strictObject({ forensics: z.array(endpoint).default([]), monitoring: z.array(endpoint).default([]) })
    .default({ forensics: [], monitoring: [] }),
  lockdown: z.strictObject({ dns: z.array(endpoint).optional() }).default({}),
  access: z.array(accessRule).default([]),
  people: z.array(person).default([]),
  slack: z
    .strictObject({
      command: z
        .string()
        .regex(/^\/[a-z0-9_-]{1,31}$/, "is no slash command")
        .default("/np"),
      teams: z.array(z.string().regex(/^[TE][A-Z0-9]+$/, "is no team id")).optional(),
      mode: z.enum(["socket", "http"]).default("socket"),
      port: z.int().min(0).max(65_535).default(3000),
    })
    .default({ command: "/np", mode: "socket", port: 3000 }),
  terminal: z.strictObject({ user: z.string().min(1).optional() }).default({}),
  spool: z
    .strictObject({ folder: z.string().min(1).default(defaultSpool), maxMiB: z.number().positive().default(16) })
    .default({ folder: defaultSpool, maxMiB: 16 }),
  audit: z
    .strictObject({
      keep: duration.default(defaultKeepMs),
      warnAtShare: z.number().positive().max(1).default(0.7),
      budgetMiB: z.number().positive().optional(),
    })
    .default({ keep: defaultKeepMs, warnAtShare: 0.7 }),
  history: z
    .strictObject({
      keepFor: positiveDuration.default(defaultHistory.keepFor),
      perPolicy: z.int().min(1).max(1_000).default(defaultHistory.perPolicy),
    })
    .default(defaultHistory),
  canary,
  flows: flowsSchema,
  watch: watchSchema,
  /** A folder; default: the one that ships with this version. */
  templates: z.string().min(1).optional(),
  port: z.int().min(0).max(65_535).default(8080),
});

export type ConfigFile = z.infer<typeof configFile>;

function isCidr(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}

function hasOnePeer(given: { podSelector?: unknown; namespaceSelector?: unknown; ipBlock?: unknown }): boolean {
  const bySelector = given.podSelector !== undefined || given.namespaceSelector !== undefined;
  return bySelector !== (given.ipBlock !== undefined);
}
