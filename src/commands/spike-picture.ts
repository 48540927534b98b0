import { textOf } from "../flows/flow-key.ts";
import type { StoredSpike } from "../flows/spike-store.ts";
import type { DeniedPicture } from "../pictures/picture.ts";
import { linesOf } from "./flow-lines.ts";
import { pictureOf } from "./flow-picture.ts";
import { lastWindow } from "./flow-window.ts";
import type { SpikeReaders } from "./spike-card.ts";

/** So much of the time before it is shown, that one sees what was usual. */
const beforeMs = 45 * 60_000;
const longestMs = 6 * 3_600_000;
const mostChanges = 50;

/**
 * The pairs of a spike from before it began until now, with the changes that its readers may know of. Undefined where there is
 * nothing to draw, and where a store is away: a card does not wait for its picture.
 */
export async function spikePicture(stored: StoredSpike, readers: SpikeReaders): Promise<DeniedPicture | undefined> {
  try {
    return await drawn(stored, readers);
  } catch (error) {
    readers.services.meter({ kind: "error", where: "spike picture", message: String(error) });
    return undefined;
  }
}

async function drawn({ spike }: StoredSpike, readers: SpikeReaders): Promise<DeniedPicture | undefined> {
  const { services, flows, sees } = readers;
  const { cluster, sinceMs, namespaces } = spike;
  const nowMs = services.now();
  const window = lastWindow(nowMs, Math.min(longestMs, nowMs - sinceMs + beforeMs));
  const [view, changes = []] = await Promise.all([
    flows.ledger.read({ cluster, ...window }),
    services.history?.list({ cluster, since: window.fromMs, until: window.toMs, limit: mostChanges }),
  ]);
  const pairs = new Set(spike.pairs.map(({ key }) => textOf(key)));
  const lines = linesOf(
    view.series.filter(({ key }) => pairs.has(textOf(key))),
    sees,
  );
  const seen = changes.filter(({ namespace }) => sees(namespace ?? ""));
  const [namespace] = namespaces.length === 1 ? namespaces.filter(sees) : [];
  const gathered = {
    scope: { namespace, workloads: undefined, words: namespace },
    window,
    clusters: [{ cluster, changes: seen, sinceMs: view.sinceMs }],
  };
  const picture = pictureOf(gathered, lines, nowMs);
  return (
    picture && { ...picture, marks: [...picture.marks, { atMs: sinceMs, kind: "spike", what: "", who: "", id: "" }] }
  );
}
