import type { SpikeCard, StoredSpike } from "../flows/spike-store.ts";
import { spikeCard } from "./spike-card.ts";
import { addressesOf, type SpikeAddress } from "./spike-channels.ts";
import { spikePicture } from "./spike-picture.ts";
import type { SpikeWatchParts } from "./spike-watch.ts";

export type SpikeTelling = {
  /** Tells those of one cluster in their channels, unless it was just tried, or another replica does. */
  tell(cluster: string, untold: readonly StoredSpike[]): Promise<void>;
};

/** Slack has no way to ask whether a message of ours is there without the right to read what others wrote. */
const perhapsTwice = "This may stand here twice: a replica stopped while it posted it.";

/** A claim lasts 30 s (flows/spike-store.ts). */
const renewEveryMs = 10_000;
/** How soon what reached not every channel is tried again; twice as late each time. */
const retryMs = 30_000;
const longestRetryMs = 10 * 60_000;

type Tried = { readonly revision: number; readonly tries: number; readonly nextMs: number };

export function createSpikeTelling(parts: SpikeWatchParts): SpikeTelling {
  const { services } = parts;
  const tried = new Map<string, ReadonlyMap<string, Tried>>();
  return {
    async tell(cluster, untold) {
      const before = tried.get(cluster) ?? new Map<string, Tried>();
      const nowMs = services.now();
      const isDue = ({ spike, revision }: StoredSpike): boolean => {
        const last = before.get(spike.id);
        return last?.revision !== revision || last.nextMs <= nowMs;
      };
      const after = await Promise.all(
        untold.map(async (stored) => {
          const last = before.get(stored.spike.id);
          const left = isDue(stored) ? await triedAgain(parts, stored, last) : last;
          return left === undefined ? [] : [[stored.spike.id, left] as const];
        }),
      );
      tried.set(cluster, new Map(after.flat()));
    },
  };
}

/** Undefined where nothing is left to be told, or another replica tells it. */
async function triedAgain(
  parts: SpikeWatchParts,
  stored: StoredSpike,
  last: Tried | undefined,
): Promise<Tried | undefined> {
  if (await tellOne(parts, stored)) return undefined;
  const { revision } = stored;
  const tries = last?.revision === revision ? last.tries + 1 : 1;
  const inMs = Math.min(longestRetryMs, retryMs * 2 ** Math.min(tries - 1, 10));
  return { revision, tries, nextMs: parts.services.now() + inMs };
}

/** A card in each channel that it belongs to, in place of the one that is there. False: it did not reach all of them. */
async function tellOne(parts: SpikeWatchParts, stored: StoredSpike): Promise<boolean> {
  const { store, channels } = parts;
  const claimed = await store.claim(stored);
  if (claimed === undefined) return true;
  const renewing = setInterval(() => void store.renew(claimed).catch(() => undefined), renewEveryMs).unref();
  try {
    const cards = new Map(claimed.cards.map((card) => [card.channel, card]));
    let isAll = true;
    for (const address of addressesOf(channels, claimed.spike)) {
      // Whatever became of the others: one channel that the bot is not in keeps nothing from the next.
      if (!(await tellIn(parts, claimed, { ...address, cards }))) isAll = false;
    }
    await store.told(claimed, [...cards.values()], isAll);
    return isAll;
  } finally {
    clearInterval(renewing);
  }
}

/** `cards`: where it is told so far. */
type Telling = SpikeAddress & { readonly cards: Map<string, SpikeCard> };

/**
 * Whether it reached somebody. A new card is written down before and after it is posted: whoever goes on where this replica is
 * killed posts nothing a second time where that is known, and says so where it is not. Who lost the claim posts none.
 */
async function tellIn(
  parts: SpikeWatchParts,
  stored: StoredSpike,
  { channel, sees, cards }: Telling,
): Promise<boolean> {
  const { services, flows, store, outletIn } = parts;
  const known = cards.get(channel);
  const reply = await spikeCard(stored, { services, flows, sees });
  if (known?.ts !== undefined) return (await outletIn(channel).show(reply, { channel, ts: known.ts })).reached;
  // With the first message alone: the card is told anew as long as the spike goes on.
  const picture = await spikePicture(stored, { services, flows, sees });
  const footer = known === undefined ? reply.footer : [...reply.footer, perhapsTwice];
  if (!(await store.telling(stored, [...cards.set(channel, { channel, ts: undefined }).values()]))) return false;
  const { card, reached } = await outletIn(channel).show({ ...reply, footer, ...(picture && { picture }) }, undefined);
  if (card === undefined) cards.delete(channel);
  else cards.set(channel, { channel, ts: card.ts });
  await store.telling(stored, [...cards.values()]);
  return reached;
}
