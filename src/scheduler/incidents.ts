import type { Redis } from "ioredis";
import type { Principal } from "../policy/principal.ts";

/** The incident that a channel is bound to; who bound it, and when (milliseconds since the epoch). */
export type IncidentBinding = {
  readonly version: 1;
  readonly incident: string;
  readonly by: Principal;
  readonly at: number;
};

/** Which channel belongs to which incident. Throws where the store cannot be reached. */
export type Incidents = {
  /** The binding of a channel (`team/channel`, both Slack ids); undefined where it has none. */
  get(channel: string): Promise<IncidentBinding | undefined>;
  /** Binds the channel, or unbinds it where the binding is undefined; the last one wins. */
  set(channel: string, binding: IncidentBinding | undefined): Promise<void>;
};

/** Bindings in Redis, without an end: a person ends them. Reading one of a newer format version throws. */
export function createIncidents(redis: Redis): Incidents {
  return {
    async get(channel) {
      const json = await redis.get(keyOf(channel));
      return json === null ? undefined : parsed(json, channel);
    },
    async set(channel, binding) {
      if (binding === undefined) await redis.del(keyOf(channel));
      else await redis.set(keyOf(channel), JSON.stringify(binding));
    },
  };
}

function keyOf(channel: string): string {
  return `{bulkhead}:incident:${channel}`;
}

function parsed(json: string, channel: string): IncidentBinding {
  const binding = JSON.parse(json) as Omit<IncidentBinding, "version"> & { readonly version: number };
  const { version } = binding;
  if (version !== 1) {
    throw new Error(
      `the incident of channel ${channel} has format version ${version}; this version of Bulkhead knows 1`,
    );
  }
  return { ...binding, version };
}
