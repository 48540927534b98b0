import { KubernetesError } from "../kubernetes/failure.ts";
import { type Decision, decideAccess, type Place, type Verb } from "../policy/access.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { allow, locateAllow } from "./allow.ts";
import { note, refused, text, usageAnswer } from "./answers.ts";
import { audit } from "./audit.ts";
import { releaseByHand, releaseUnrecorded } from "./by-hand.ts";
import { placeFor } from "./clusters.ts";
import { type Command, type CommandName, isWriting } from "./command.ts";
import { contain, locateLockdown } from "./contain.ts";
import type { Desk, Outlet } from "./desk.ts";
import { diffRevision } from "./diff-revision.ts";
import { drift } from "./drift.ts";
import { end, locateEnd } from "./end.ts";
import { explain, locateExplain } from "./explain.ts";
import { extend } from "./extend.ts";
import { locateAllowance } from "./find-allowance.ts";
import { isOfLine, type LineCommand, meantBy } from "./flow-press.ts";
import { flows, flowsVerbs, locateFlows } from "./flows.ts";
import { formFor, orNone, orProblem } from "./form-help.ts";
import { help } from "./help.ts";
import { history } from "./history.ts";
import { type HomeRequest, homePage } from "./home.ts";
import { incident, incidentVerbs } from "./incident.ts";
import { once } from "./once.ts";
import { parse } from "./parse.ts";
import { press, pressName } from "./press.ts";
import { locateQuarantine, quarantine } from "./quarantine.ts";
import { locateRelease, type ReleaseCommand, release } from "./release.ts";
import type { Reply } from "./reply.ts";
import { type Press, type Request, wellFormed } from "./request.ts";
import { endPause } from "./resume-flux.ts";
import { locateRollback, rollback, rollbackVerbs } from "./rollback.ts";
import { typedBy } from "./row-press.ts";
import { createSampledJournal, type SampledJournal } from "./sampled-journal.ts";
import type { Context, Services } from "./services.ts";
import { signReview } from "./sign-review.ts";
import { status } from "./status.ts";
import { tracedOutlet } from "./tracing.ts";
import { whatToDo } from "./unanswered.ts";
import { understand } from "./understand.ts";
import { locateVerify, verifyEnforcement } from "./verify-enforcement.ts";
import { vote } from "./vote.ts";
import { whoami } from "./whoami.ts";

/** The one door: parses, authorises, runs, maps errors, measures. No command can forget any of it. */
export function createDesk(services: Services): Desk {
  const samples = createSampledJournal(services);
  return {
    understand,
    form: (request, who) => formFor(services, request, who),
    suggest: (asked) => orNone(services, asked),
    formText: (form, who) => orProblem(services, form, who),
    run: (asked, shownBy) => {
      const request = wellFormed(asked);
      const outlet = tracedOutlet(services, shownBy);
      return guarded(services, outlet, request, () => run({ services, request, outlet, samples }));
    },
    press: (asked, shownBy) => {
      const request = wellFormed(asked);
      const outlet = tracedOutlet(services, shownBy);
      const typed = typedBy(request);
      return guarded(services, outlet, request, () =>
        typed === undefined
          ? once(services, request, () => press({ services, request, outlet, samples }))
          : run({ services, request: typed, outlet, samples }),
      );
    },
    home: (asked) => homeOf(services, asked),
    turnAway: (asked, why, outlet) => {
      const request = wellFormed(asked);
      return guarded(services, outlet, request, () =>
        once(services, request, () => turnAway(samples, { request, outlet }, why)),
      );
    },
    alarm: (alarm) => samples.alarm(alarm),
    flush: (all) => samples.flush(all),
  };
}

/** Whoever may look nowhere is told so; what breaks is metered, and said. */
async function homeOf(services: Services, asked: HomeRequest): Promise<Reply> {
  const anywhere = { cluster: undefined, namespace: undefined };
  const decision = decideAccess(services.settings.access, asked.principal, "status", anywhere);
  if (!decision.allowed) return refused("this page", refusal(decision.reason, lookAtWhoami));
  try {
    return await homePage(services, asked);
  } catch (error) {
    services.meter({ kind: "error", where: "home", message: String(error) });
    return broken("home", error);
  }
}

/** Refusals go through the samples: not everybody may write to the log as often as they type. */
type Asking = Context & { readonly samples: SampledJournal };

type Spec<C> = {
  /** The rights of which it needs one; none for help and whoami. */
  readonly verbs: (command: C) => readonly Verb[];
  /** What it is about, with the cluster that is meant; may look the target up, and a refusal then ends the command. */
  readonly locate: (context: Context, command: C) => Located<C> | Refusal | Promise<Located<C> | Refusal>;
  readonly run: (context: Asking, command: C) => Promise<Reply>;
};

/** The command with the cluster that it means, and where it acts: what decideAccess is asked about. */
type Located<C> = { readonly place: Place; readonly command: C };

const specs: { readonly [K in CommandName]: Spec<Extract<Command, { kind: K }>> } = {
  quarantine: { verbs: () => ["quarantine"], locate: locateQuarantine, run: quarantineOrContain },
  lockdown: { verbs: () => ["lockdown"], locate: locateLockdown, run: contain },
  release: { verbs: () => ["release"], locate: locateRelease, run: release },
  allow: { verbs: () => ["allow"], locate: locateAllow, run: allow },
  extend: { verbs: () => ["allow"], locate: locateAllowance, run: extend },
  approve: { verbs: () => ["approve"], locate: locateNowhere, run: vote },
  deny: { verbs: () => ["approve"], locate: locateNowhere, run: vote },
  review: { verbs: () => ["approve"], locate: locateNowhere, run: signReview },
  end: {
    verbs: ({ operation }) => (isUndo(operation) ? ["rollback"] : ["allow", "quarantine", "lockdown"]),
    locate: locateEnd,
    run: (context, command) =>
      isUndo(command.operation) ? endPause(context, command.operation, command.reason) : end(context, command),
  },
  rollback: { verbs: rollbackVerbs, locate: locateRollback, run: rollback },
  status: { verbs: () => ["status"], locate: locateRead, run: status },
  drift: { verbs: () => ["status"], locate: locateRead, run: drift },
  explain: { verbs: () => ["status"], locate: locateExplain, run: explain },
  audit: { verbs: () => ["audit"], locate: locateRead, run: audit },
  history: { verbs: () => ["status"], locate: locateRead, run: history },
  flows: { verbs: flowsVerbs, locate: locateFlows, run: flows },
  diff: { verbs: () => ["status"], locate: locateNowhere, run: diffRevision },
  "verify-enforcement": { verbs: () => ["verify-enforcement"], locate: locateVerify, run: verifyEnforcement },
  incident: { verbs: incidentVerbs, locate: locateNowhere, run: incident },
  whoami: { verbs: () => [], locate: locateNowhere, run: whoami },
  help: { verbs: () => [], locate: locateNowhere, run: help },
};

/** What an undo told Flux ends by the same word as an allowance. */
function isUndo(operation: string): boolean {
  return operation.startsWith("u-");
}

function quarantineOrContain(context: Context, command: Extract<Command, { kind: "quarantine" }>): Promise<Reply> {
  return command.workload === undefined ? quarantine(context, command) : contain(context, command);
}

function locateRead<C extends Place>(context: Context, command: C): Located<C> | Refusal {
  const place = placeFor(context, { cluster: command.cluster, namespace: command.namespace });
  return isRefusal(place) ? place : { place, command };
}

function locateNowhere<C>(_: Context, command: C): Located<C> {
  return { place: { cluster: undefined, namespace: undefined }, command };
}

async function run(context: Asking): Promise<Reply> {
  const { services, request, outlet } = context;
  const command = parse(request.text);
  if (command.kind === "usage") {
    return once(services, request, () => tell(outlet, usageAnswer(command.problem, command.topic)));
  }
  if (isOfLine(command)) return runMeant(context, command);
  return isRecorded(command) ? carry(context, command) : once(services, request, () => carry(context, command));
}

/** The command that a line's button stands for, as if it had been typed: authorised, counted and answered as that. */
async function runMeant(context: Asking, command: LineCommand): Promise<Reply> {
  const meant = await meantBy(context, command);
  if (isRefusal(meant)) return once(context.services, context.request, () => turnDown(context, command, meant));
  return run({ ...context, request: { ...context.request, ...meant } });
}

async function carry(context: Asking, command: Command): Promise<Reply> {
  const spec = specs[command.kind] as Spec<Command>;
  const go = async (): Promise<Reply> => {
    const allowed = await locateAllowed(context, command, spec);
    return "outcome" in allowed ? allowed : spec.run(context, allowed.command);
  };
  return command.kind === "release" ? go().catch(byHandWhereAway(context, command.what)) : go();
}

/** What a release goes by lies in Redis: without it a person is told how to do it by hand. */
function byHandWhereAway(context: Context, what: ReleaseCommand["what"]): (error: unknown) => Promise<Reply> {
  return async (error) => {
    if (error instanceof KubernetesError || (await isStoreThere(context.services))) throw error;
    return releaseByHand(context, what);
  };
}

async function isStoreThere({ operations }: Services): Promise<boolean> {
  try {
    await operations.list({ live: true });
    return true;
  } catch {
    return false;
  }
}

/**
 * The command with its cluster, or the answer that ends it. Nobody without the right anywhere learns even whether the
 * target exists.
 */
async function locateAllowed(
  context: Asking,
  command: Command,
  spec: Spec<Command>,
): Promise<Located<Command> | Reply> {
  const { services, request } = context;
  const [verb, ...others] = spec.verbs(command);
  if (verb === undefined) return locateNowhere(context, command);
  const may = (place: Place): Decision => {
    const decide = (one: Verb) => decideAccess(services.settings.access, request.principal, one, place);
    return [verb, ...others].map(decide).find(({ allowed }) => allowed) ?? decide(verb);
  };
  const anywhere = may({ cluster: undefined, namespace: undefined });
  if (!anywhere.allowed) return turnDown(context, command, refusal(anywhere.reason, lookAtWhoami));
  const located = await spec.locate(context, command);
  if (isRefusal(located)) return turnDown(context, command, located);
  const decision = may(located.place);
  return decision.allowed ? located : turnDown(context, command, refusal(decision.reason, lookAtWhoami), located.place);
}

const lookAtWhoami = "Type /np whoami to see what you may do.";

/** What would have been recorded is not, so that its delivery is counted here. */
async function turnDown(
  { services, request, outlet, samples }: Asking,
  command: Command,
  no: Refusal,
  place?: Place,
): Promise<Reply> {
  const { kind } = command;
  const incident = isWriting(command) ? command.incident : undefined;
  const answer = async (): Promise<Reply> => {
    await samples.refused(request, { ...place, verb: kind, incident, why: no.reason });
    return tell(outlet, (await releaseUnrecorded({ services, request, outlet }, no)) ?? refused(kind, no));
  };
  return isRecorded(command) ? once(services, request, answer) : answer();
}

/** Whether an operation comes of it, whose acceptance also counts deliveries. */
function isRecorded(command: Command): boolean {
  return isWriting(command) && !command.dryRun;
}

async function turnAway(
  samples: SampledJournal,
  { request, outlet }: Omit<Context<Request | Press>, "services">,
  why: string,
): Promise<Reply> {
  await samples.turnedAway(request, { verb: "text" in request ? "command" : "press", why });
  return tell(outlet, refused("this cannot be used here", refusal(why, "Ask somebody of the team to run it.")));
}

/** The one place that catches: whatever broke, the caller gets one visible answer (invariant 10). */
async function guarded(
  services: Services,
  outlet: Outlet,
  asked: Request | Press,
  work: () => Promise<Reply>,
): Promise<Reply> {
  const verb = "text" in asked ? commandName(asked.text) : pressName(asked.action);
  let reply: Reply;
  try {
    reply = await work();
  } catch (error) {
    services.meter({
      kind: "error",
      where: verb,
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    reply = await tell(outlet, broken(verb, error));
  }
  services.meter({ kind: "command", verb, outcome: reply.outcome, ms: services.now() - asked.at });
  return reply;
}

/** A name from a closed set, since it becomes a metric's label. */
function commandName(typed: string): string {
  return parse(typed).kind;
}

const lookFirst = "Type /np status to see what is in force, then try again.";

function broken(verb: string, error: unknown): Reply {
  const why = error instanceof Error ? error.message : String(error);
  return note(
    `Failed: ${verb}`,
    [text(why), text(error instanceof KubernetesError ? whatToDo(error) : lookFirst)],
    "failed",
  );
}

async function tell(outlet: Outlet, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}
