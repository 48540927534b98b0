import { z } from "zod";
import { clusterName, positiveDuration } from "./config-values.ts";

const minuteMs = 60_000;
const keep = { leastMs: 30 * minuteMs, defaultMs: 6 * 60 * minuteMs, mostMs: 48 * 60 * minuteMs };

const path = z.string().min(1, "is no path of a file");

/** Read again at every connection, as certificates are renewed on disk. */
const tls = z
  .strictObject({
    caFile: path.optional(),
    certFile: path.optional(),
    keyFile: path.optional(),
    serverName: z.string().min(1, "is no name").optional(),
  })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    error: "certFile and keyFile need each other",
  });

const whoseFlows = {
  name: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/, "is no name (lower-case letters, digits, dashes, dots)"),
  /** Default: the one that the bot is in. */
  cluster: clusterName.optional(),
};

const address = z
  .string()
  .regex(/^([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):[1-9]\d{0,4}$/, "is no address such as hubble-relay.kube-system.svc:80");

const url = z
  .string()
  .refine(isWebAddress, "is no address such as http://loki.logging.svc:3100 (a user and a password go elsewhere)");

const hubbleRelay = z.strictObject({ ...whoseFlows, kind: z.literal("hubble-relay"), address, tls: tls.optional() });

/** It lets nobody in without a certificate (facts: denied-flows §2). */
const goldmane = z.strictObject({
  ...whoseFlows,
  kind: z.literal("goldmane"),
  address,
  tls: tls.refine(({ certFile }) => certFile !== undefined, {
    error: "needs certFile and keyFile: Goldmane lets nobody in without a certificate",
  }),
});

const loki = z
  .strictObject({
    ...whoseFlows,
    kind: z.literal("loki"),
    url,
    query: z.string().regex(/^\s*\{.*\}/s, 'is no LogQL query such as {job="hubble"} |= "DROPPED"'),
    /** X-Scope-OrgID; several are joined by |. */
    tenant: z
      .string()
      .regex(/^[\w!.*'()|-]+$/, "is no tenant")
      .optional(),
    every: positiveDuration.default(10_000),
    tls: tls.optional(),
    tokenFile: path.optional(),
    username: z.string().min(1).optional(),
    passwordFile: path.optional(),
  })
  .refine(({ username, passwordFile }) => (username === undefined) === (passwordFile === undefined), {
    error: "username and passwordFile need each other",
  });

/** The section `flows`: where denied flows come from, and how long they are counted back. */
export const flowsSchema = z
  .strictObject({
    keep: positiveDuration
      .refine((ms) => ms >= keep.leastMs && ms <= keep.mostMs, "can be from 30m to 48h")
      .default(keep.defaultMs),
    sources: z.array(z.discriminatedUnion("kind", [hubbleRelay, goldmane, loki])).default([]),
    /** By cluster: who may post. Without a file the token is FLOWS_TOKEN. */
    receiver: z.record(clusterName, z.strictObject({ tokenFile: path.optional() })).optional(),
  })
  .default({ keep: keep.defaultMs, sources: [] });

export type FlowsFile = z.infer<typeof flowsSchema>;

function isWebAddress(text: string): boolean {
  const address = URL.parse(text);
  return address !== null && /^https?:$/.test(address.protocol) && address.username === "" && address.password === "";
}
