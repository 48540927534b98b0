import type { SpikeStore, StoredSpike } from "../flows/spike-store.ts";
import type { Principal } from "../policy/principal.ts";
import { text } from "./answers.ts";
import { seenIn } from "./flow-sight.ts";
import type { Section } from "./reply.ts";
import type { Services } from "./services.ts";
import { type SpikeReaders, spikeLines } from "./spike-card.ts";

/** The spikes that go on, as a person may know of them; not what operations cut off, which are listed themselves. */
export type SpikesSeen = { readonly open: number; readonly sections: readonly Section[] };

/** Each costs a look into the cluster, as its card does. */
const mostShown = 5;

/**
 * What spikes where the person may look, the latest first, each with its card's change and first pair and their buttons. Of
 * a cluster whose spikes cannot be read it says so, and counts none.
 */
export async function spikesSeen(services: Services, principal: Principal): Promise<SpikesSeen> {
  const { flows } = services;
  if (flows === undefined) return { open: 0, sections: [] };
  try {
    const clusters = [...services.clusters.keys()];
    const all = await Promise.all(
      clusters.map(async (cluster) => {
        const sees = seenIn({ services, request: { principal } }, cluster);
        return seenOf(await flows.spikes.all(cluster), { services, flows, sees });
      }),
    );
    return await shownOf(all.flat().toSorted((a, b) => b.stored.spike.sinceMs - a.stored.spike.sinceMs));
  } catch (error) {
    services.meter({ kind: "error", where: "home", message: String(error) });
    return { open: 0, sections: [text("Spikes: not known now. Type /np flows.")] };
  }
}

type Seen = { readonly stored: StoredSpike; readonly readers: SpikeReaders };

function seenOf(all: Awaited<ReturnType<SpikeStore["all"]>>, readers: SpikeReaders): readonly Seen[] {
  const { sees } = readers;
  return all
    .filter(({ end, spike }) => end === undefined && spike.operation === undefined)
    .filter(({ spike: { namespaces } }) => (namespaces.length === 0 ? sees("") : namespaces.some(sees)))
    .map((stored) => ({ stored, readers }));
}

async function shownOf(open: readonly Seen[]): Promise<SpikesSeen> {
  if (open.length === 0) return { open: 0, sections: [] };
  const lines = await Promise.all(open.slice(0, mostShown).map(({ stored, readers }) => spikeLines(stored, readers)));
  const hidden = open.length - lines.length;
  const more = hidden === 0 ? [] : [text(`… and ${hidden} more: /np flows`)];
  return { open: open.length, sections: [text(`Spikes (${open.length})`), ...lines.flat(), ...more] };
}
