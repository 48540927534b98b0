/** Something that somebody types or presses and should not, with what the answer has to say. */
export type BadInput = {
  readonly what: string;
  readonly text: string;
  /** alice, who may do everything, where absent. */
  readonly user?: string;
  /** An internal channel that the bot is in, where absent. */
  readonly channel?: string;
  /** What is wrong, in the answer. */
  readonly says: RegExp;
  /** What to do next, in the same answer. */
  readonly next: RegExp;
  /**
   * Whether the refusal of a known person stands in the audit log; `sampled` where that person was refused for the same
   * reason a moment before: then it may only be counted, and one entry a minute says how often.
   */
  readonly audited?: boolean | "sampled";
};

const long = "x".repeat(5_000);
const usage = /Type \/np help/;
const help = {
  quarantine: /\/np quarantine <namespace\/pod>|\/np quarantine payments\//,
  release: /\/np release q-/,
  explain: /\/np explain payments\/checkout → db\/postgres:5432/,
};
const noPod = /There is no pod .* in namespace payments/;
const listPods = /kubectl get pods -n payments/;
const notPod = /is not of the form/;

/** Text that is no command, or not a whole one. */
export const unreadable: readonly BadInput[] = [
  {
    what: "an unknown verb",
    text: "quarentine payments/worker-1",
    says: /no command "quarentine"/,
    next: /quarantine/,
  },
  {
    what: "a verb that is a member of every object",
    text: "constructor",
    says: /no command "constructor"/,
    next: usage,
  },
  { what: "a verb called __proto__", text: "__proto__ payments/worker-1", says: /no command "__proto__"/, next: usage },
  { what: "a verb in other letters", text: "карантин payments/worker-1", says: /no command "карантин"/, next: usage },
  { what: "nothing but emoji", text: "🔥🔥🔥", says: /no command "🔥/u, next: usage },
  { what: "JSON", text: '{"verb":"quarantine"}', says: /no command/, next: usage },
  { what: "a verb of 5 kB", text: long, says: /no command "x{40}"/, next: usage },
  { what: "a pod without a namespace", text: "quarantine worker-1", says: notPod, next: help.quarantine },
  { what: "too many parts", text: "quarantine a/b/c", says: notPod, next: help.quarantine },
  { what: "capital letters in names", text: "quarantine Payments/Worker", says: notPod, next: help.quarantine },
  { what: "a path that climbs", text: "quarantine payments/../../secrets", says: notPod, next: help.quarantine },
  { what: "percent encoding", text: "quarantine payments/worker%2F1", says: notPod, next: help.quarantine },
  { what: "a shell's substitution", text: "quarantine payments/$(reboot)", says: notPod, next: help.quarantine },
  { what: "backticks around the pod", text: "quarantine `payments/worker-1`", says: notPod, next: help.quarantine },
  { what: "a channel mention as pod", text: "quarantine <!channel>", says: notPod, next: help.quarantine },
  { what: "a person as pod", text: "quarantine <@U0BOB|bob>", says: notPod, next: help.quarantine },
  { what: "a pod of 5 kB", text: `quarantine payments/${long}`, says: notPod, next: help.quarantine },
  { what: "nothing to explain", text: "explain", says: /From where, to where/, next: help.explain },
  { what: "a connection without a port", text: "explain a/b → c/d", says: /names no port/, next: help.explain },
  { what: "a port beyond all", text: "explain a/b → c/d:70000", says: /no port from 1 to 65535/, next: help.explain },
  { what: "a connection of 5 kB", text: `explain ${long} → c/d:1`, says: /longer than/, next: help.explain },
  { what: "a mention at an end", text: "explain <!here> → c/d:1", says: /is neither of the form/, next: help.explain },
  { what: "a wildcard", text: "quarantine payments/*", says: notPod, next: help.quarantine },
  {
    what: "an unknown option",
    text: "quarantine payments/worker-1 --force",
    says: /no option "--force"/,
    next: help.quarantine,
  },
  {
    what: "an option misspelt",
    text: "quarantine payments/worker-1 --dryrun",
    says: /no option "--dryrun"/,
    next: /--dry-run/,
  },
  {
    what: "an option of another command",
    text: "quarantine payments/worker-1 --keep this",
    says: /no option "--keep"/,
    next: help.quarantine,
  },
  {
    what: "a review time in words",
    text: "quarantine payments/worker-1 review soon",
    says: /review needs a time/,
    next: /2h or 30m/,
  },
  {
    what: "a review time of zero",
    text: "quarantine payments/worker-1 review 0m",
    says: /review needs a time/,
    next: /2h or 30m/,
  },
  {
    what: "a review time beyond a year",
    text: "quarantine payments/worker-1 review 9999d",
    says: /review needs a time/,
    next: /2h or 30m/,
  },
  {
    what: "a review time below zero",
    text: "quarantine payments/worker-1 review -2h",
    says: /review needs a time/,
    next: /2h or 30m/,
  },
  {
    what: "a reason of 5 kB",
    text: `quarantine payments/worker-1 ${long}`,
    says: /longer than 500 characters/,
    next: help.quarantine,
  },
  { what: "a release of nothing", text: "release", says: /Which quarantine\?/, next: help.release },
  {
    what: "an id with letters that ids do not have",
    text: "release q-ilou",
    says: /neither an operation/,
    next: help.release,
  },
  { what: "a huge id", text: `release q-${"7".repeat(3_000)}`, says: /neither an operation/, next: help.release },
  {
    what: "a choice that there is not",
    text: "release q-7f3kd2m --keep both",
    says: /--keep needs this or replacement/,
    next: help.release,
  },
  {
    what: "an option twice, with two values",
    text: "release q-7f3kd2m --keep this --keep replacement",
    says: /--keep is given twice/,
    next: help.release,
  },
  {
    what: "options that exclude each other",
    text: "release q-7f3kd2m --keep this --delete-pod",
    says: /exclude each other/,
    next: help.release,
  },
  { what: "a status of no namespace", text: "status No_Such", says: /no namespace's name/, next: /\/np status/ },
  {
    what: "a status with too many words",
    text: "status payments now",
    says: /more than status takes/,
    next: /\/np status/,
  },
  { what: "a time in words", text: "audit since yesterday", says: /since needs a time/, next: /24h or 30m/ },
  { what: "a time of six digits of days", text: "audit since 999999d", says: /since needs a time/, next: /24h or 30m/ },
  { what: "a person by name", text: "audit by Bob", says: /by needs a @user/, next: /\/np audit/ },
  { what: "whoami with a question", text: "whoami am I", says: /more than whoami takes/, next: /\/np whoami/ },
  { what: "help about nothing", text: "help everything", says: /no command "everything"/, next: usage },
];

/** Readable, but it names what there is not or what must not be touched. */
export const impossible: readonly BadInput[] = [
  { what: "an unknown pod", text: "quarantine payments/wroker-1", says: noPod, next: /worker-1/, audited: true },
  {
    what: "an unknown namespace",
    text: "quarantine paymentz/worker-1",
    says: /no namespace paymentz/,
    next: /payments/,
    audited: true,
  },
  {
    what: "the beginning of several names",
    text: "quarantine payments/worker",
    says: /2 pods in payments begin with worker/,
    next: /enough of the name/,
    audited: true,
  },
  {
    what: "control characters in a name",
    text: "quarantine payments/no\u0007pe\u0000",
    says: noPod,
    next: listPods,
    audited: true,
  },
  {
    what: "a right-to-left override",
    text: "quarantine payments/\u202Eepon",
    says: noPod,
    next: listPods,
    audited: true,
  },
  {
    what: "zero-width spaces in the verb",
    text: "quar\u200Bant\u200Dine payments/nope",
    says: noPod,
    next: listPods,
    audited: true,
  },
  {
    what: "smart quotes and dashes",
    text: "quarantine payments/nope —dry–run “it’s odd”",
    says: noPod,
    next: listPods,
    audited: true,
  },
  {
    what: "a pod that Slack made a link of",
    text: "quarantine <http://payments/nope|payments/nope>",
    says: noPod,
    next: listPods,
    audited: true,
  },
  {
    what: "an option twice, meaning the same",
    text: "quarantine payments/nope --dry-run --dry-run",
    says: noPod,
    next: listPods,
    audited: true,
  },
  {
    what: "two commands in two lines",
    text: "quarantine payments/nope\nrelease q-7f3kd2m",
    says: noPod,
    next: listPods,
    audited: true,
  },
  {
    what: "a mention of everybody in a reason",
    text: "quarantine payments/nope <!channel> `x` *y*",
    says: noPod,
    next: listPods,
    audited: true,
  },
  {
    what: "a pod on its host's network",
    text: "quarantine payments/on-host",
    says: /uses the host's network/,
    next: /Cordon and drain/,
    audited: true,
  },
  {
    what: "a static pod",
    text: "quarantine payments/static-pod",
    says: /is a static pod/,
    next: /Remove its manifest on node/,
    audited: true,
  },
  {
    what: "a pod that succeeded",
    text: "quarantine payments/finished",
    says: /has finished \(Succeeded\)/,
    next: /Nothing needs to be cut off/,
    audited: true,
  },
  {
    what: "a pod that failed",
    text: "quarantine payments/broken",
    says: /has finished \(Failed\)/,
    next: /Nothing needs to be cut off/,
    audited: true,
  },
  {
    what: "a protected namespace",
    text: "quarantine kube-system/coredns",
    says: /amespace kube-system is protected/,
    next: /protectedNamespaces/,
    audited: true,
  },
  {
    what: "the bot's own namespace",
    text: "quarantine bulkhead/bulkhead",
    says: /Bulkhead's own namespace/,
    next: /Choose another pod/,
    audited: true,
  },
  {
    what: "a pod with a mark of nobody's",
    text: "quarantine payments/marked",
    says: /already bears the quarantine label/,
    next: /\/np status payments/,
    audited: true,
  },
  {
    what: "a release of what never was",
    text: "release q-7f3kd2m",
    says: /no operation q-7f3kd2m/,
    next: /\/np status/,
    audited: true,
  },
  {
    what: "a release of a pod that is not quarantined",
    text: "release payments/worker-1",
    says: /No quarantine of payments\/worker-1/,
    next: /\/np status payments/,
    audited: true,
  },
];

/** People who may not, or not here. */
export const unwelcome: readonly BadInput[] = [
  {
    what: "somebody who may only look",
    user: "U0BOB",
    text: "quarantine payments/worker-1",
    says: /Refused/,
    next: /\/np whoami/,
    audited: true,
  },
  {
    what: "somebody without any right",
    user: "U0CAROL",
    text: "status",
    says: /Refused/,
    next: /\/np whoami/,
    audited: true,
  },
  {
    what: "somebody without a right, about what there is not",
    user: "U0CAROL",
    text: "quarantine nope/nope",
    says: /Refused/,
    next: /\/np whoami/,
    audited: true,
  },
  {
    what: "a guest",
    user: "U0GUEST",
    text: "quarantine payments/worker-1",
    says: /guest account/,
    next: /Ask somebody of the team/,
    audited: true,
  },
  {
    what: "a guest once more",
    user: "U0GUEST",
    text: "help",
    says: /guest account/,
    next: /Ask somebody of the team/,
    audited: "sampled",
  },
  {
    what: "a guest of one channel",
    user: "U0ULTRA",
    text: "help",
    says: /guest account/,
    next: /Ask somebody of the team/,
    audited: true,
  },
  {
    what: "a bot",
    user: "U0DEPLOY",
    text: "quarantine payments/worker-1",
    says: /a bot/,
    next: /Ask somebody of the team/,
    audited: true,
  },
  {
    what: "a deactivated account",
    user: "U0GONE",
    text: "status",
    says: /deactivated account/,
    next: /Ask somebody of the team/,
    audited: true,
  },
  {
    what: "a shared channel",
    channel: "C0SHARED",
    text: "quarantine payments/worker-1",
    says: /shared with another organisation/,
    next: /Use a channel of your own/,
    audited: true,
  },
  {
    what: "a channel that is about to be shared",
    channel: "C0PENDING",
    text: "status",
    says: /shared with another organisation/,
    next: /Use a channel of your own/,
    audited: "sampled",
  },
  {
    what: "somebody of another workspace",
    user: "U0FOREIGN",
    text: "quarantine payments/worker-1",
    says: /Not available to you/,
    next: /members of its own workspace only/,
  },
  {
    what: "a stranger",
    user: "U0STRANGER",
    text: "status",
    says: /Not available to you/,
    next: /members of its own workspace/,
  },
];
