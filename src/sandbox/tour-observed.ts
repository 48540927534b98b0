import { seen, type TourOptions } from "./tour-steps.ts";

/**
 * What the sandbox's agents tell of a pod in quarantine, confirmed after so many calls of the bot: denied, then not, since its
 * node has stopped enforcing.
 */
export async function playObserved({ world, write }: TourOptions, node: string, since: number): Promise<void> {
  write("\n── The nodes' agents tell what they deny: the card says what was observed ──\n");
  await seen(world, /Observed: (at least )?\d+ attempts? (was|were) denied/, since);
  write(`\n── ${node} stops enforcing policies, which nothing in the API tells ──\n\n$ break enforcement ${node}\n`);
  const broken = world.slack.calls.length;
  world.traffic?.breakEnforcement(node);
  await seen(world, /NOT ISOLATED: .* got through/, broken);
  await seen(world, /NOT ISOLATED: q-.*The card has the evidence/, broken);
  write("\n$ heal enforcement\n");
  world.traffic?.healEnforcement();
}
