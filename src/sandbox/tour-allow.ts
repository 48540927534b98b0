import { fillIn, pressAndSee, sayAndSee, seen, type TourOptions, until } from "./tour-steps.ts";

const path = "/np explain payments/checkout → 198.51.100.7:443";

/** Twenty seconds, ten more, and what a busy machine takes. */
const endsWithinMs = 60_000;

/** Opens a path by a template: a form, a second person, a question before its end, an extension, and its end by itself. */
export async function playAllowance(options: TourOptions): Promise<void> {
  const { world, console, write } = options;
  write("\n── A partner's API has moved: a path by a template that was approved beforehand, for 20 seconds ──\n");
  await sayAndSee(options, path, /No: payments\/checkout cannot connect to 198\.51\.100\.7/);
  await askFor(options);
  await pressAndSee(options, "Ask for approval", /Waiting for approval: allow partner-api/);
  console.become("U0BOB");
  await pressAndSee(options, "Approve", /OPEN until .*partner-api in payments/);
  console.become("U0ALICE");
  const opened = world.slack.calls.length;
  await sayAndSee(options, path, /Yes: payments\/checkout can connect to 198\.51\.100\.7/);
  write("\n── It asks before its end whether it is still used ──\n");
  await seen(world, /Ends in \d+ s at/, opened);
  const extended = world.slack.calls.length;
  await pressAndSee(options, "Extend", /Extended until/);
  write("\n── Ten seconds more is the most that its template allows; then it closes by itself ──\n");
  await seen(world, /Closed, verified: at most \d+ ms after its end/, extended, endsWithinMs);
  await sayAndSee(options, path, /No: payments\/checkout cannot connect to 198\.51\.100\.7/);
}

async function askFor(options: TourOptions): Promise<void> {
  const { world, console } = options;
  const { slack } = world;
  const since = slack.calls.length;
  await sayAndSee(options, "/np allow partner-api", /Open a path/);
  await until(() => slack.view(console.who()) !== undefined, "the form");
  for (const line of [
    "search value:workload checkout",
    "pick value:workload payments/deployment/checkout",
    "fill value:cidr 198.51.100.0/24",
    "fill reason the partner moved to new addresses",
    "submit",
  ]) {
    await fillIn(options, line);
  }
  await seen(world, /Plan: allow partner-api in namespace payments/, since);
}
