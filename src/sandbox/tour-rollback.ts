import { applyMistake } from "./pipeline.ts";
import { pressAndSee, sayAndSee, type TourOptions } from "./tour-steps.ts";

const path = "/np explain payments/ledger → db/postgres:5432";

/** Somebody else's change breaks traffic: who did what and when, and back with it. */
export async function playRollback(options: TourOptions): Promise<void> {
  const { world, write } = options;
  write("\n── A pipeline applies a policy with a mistyped port, and the ledger loses its database ──\n");
  await sayAndSee(options, path, /Yes: payments\/ledger can connect to db\/postgres/);
  write("\n$ kubectl apply --server-side --field-manager ci-pipeline -f db/allow-postgres.yaml\n");
  await applyMistake(world.cluster);
  await sayAndSee(options, path, /No: payments\/ledger cannot connect to db\/postgres/);
  await sayAndSee(options, "/np history db since 1h", /allow-postgres was changed by the program.*ci-pipeline/);
  await sayAndSee(options, "/np rollback db/allow-postgres the ledger lost its database", /Plan: rollback/);
  await pressAndSee(options, "Confirm", /Rolled back/);
  await sayAndSee(options, path, /Yes: payments\/ledger can connect to db\/postgres/);
}
