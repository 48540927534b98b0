import type { Spike } from "../flows/spike.ts";
import type { Sees } from "./flow-sight.ts";

/** Where spikes are told: `channels` by the namespaces that they own (`*` at the end stands for any rest), `channel` for all else. */
export type SpikeChannels = {
  readonly channel: string | undefined;
  readonly channels: readonly { readonly namespaces: readonly string[]; readonly channel: string }[];
};

/** Where a spike is told, and what is told there of other namespaces: nothing, but in the channel for all. */
export type SpikeAddress = { readonly channel: string; readonly sees: Sees };

/** Each channel once that owns a namespace of it; the one for all where some of them is nobody's, or it touches none. */
export function addressesOf({ channel, channels }: SpikeChannels, { namespaces }: Spike): readonly SpikeAddress[] {
  const owned = (namespace: string) =>
    channels.filter((one) => one.namespaces.some((name) => matches(name, namespace)));
  const owners = [...new Set(namespaces.flatMap((one) => owned(one).map((owner) => owner.channel)))];
  const rest = namespaces.length === 0 || namespaces.some((one) => owned(one).length === 0);
  const forAll = channel !== undefined && rest && !owners.includes(channel) ? [channel] : [];
  return [...owners, ...forAll].map((id) => ({
    channel: id,
    sees: (namespace) => id === channel || owned(namespace).some((one) => one.channel === id),
  }));
}

function matches(pattern: string, namespace: string): boolean {
  return pattern.endsWith("*") ? namespace.startsWith(pattern.slice(0, -1)) : pattern === namespace;
}
