import { applyMistake } from "./pipeline.ts";
import { pressAndSee, sayAndSee, seen, type TourOptions, until } from "./tour-steps.ts";

const path = "/np explain payments/ledger → db/postgres:5432";

/** What the picture says to whoever cannot see it. */
const shown = /Marked: .*policy change at .*db\/allow-postgres changed by/;

/** Flows are counted by the minute, and a spike needs most of one; what a busy machine takes comes on top. */
const toldWithinMs = 180_000;

/** Somebody else's change breaks traffic: Bulkhead hears of it, says which change it was, and back with it by one press. */
export async function playRollback(options: TourOptions): Promise<void> {
  const { world, write } = options;
  const { slack } = world;
  write("\n── A pipeline applies a policy with a mistyped port, and the ledger loses its database ──\n");
  await sayAndSee(options, path, /Yes: payments\/ledger can connect to db\/postgres/);
  write("\n$ kubectl apply --server-side --field-manager ci-pipeline -f db/allow-postgres.yaml\n");
  const applied = slack.calls.length;
  await applyMistake(world.cluster);
  await sayAndSee(options, path, /No: payments\/ledger cannot connect to db\/postgres/);
  write(
    "\n── Nobody asks. Bulkhead learnt what is usual from 45 minutes that the sandbox made up; flows are counted by the",
  );
  write("\n   minute, and here one minute is enough (the configuration says so: two would be usual) ──\n");
  await seen(world, /A change closed what is denied: .*allow-postgres was changed by/, applied, toldWithinMs);
  await until(
    () => slack.messages("C0INCIDENT").some(({ files = [] }) => files.some(({ alt = "" }) => shown.test(alt))),
    "its picture",
  );
  await pressAndSee(options, "Roll back", /Plan: rollback/);
  const planned = slack.calls.length;
  await pressAndSee(options, "Confirm", /Rolled back/);
  await sayAndSee(options, path, /Yes: payments\/ledger can connect to db\/postgres/);
  await sayAndSee(options, "/np history db since 1h", /allow-postgres was changed by the program.*ci-pipeline/);
  write("\n── A minute without it, and the spike is over (five would be usual) ──\n");
  await seen(world, /Quiet again since/, planned, toldWithinMs);
}
