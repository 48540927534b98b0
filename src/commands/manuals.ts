import type { CommandName } from "./command.ts";

/** Help of one command: how it is typed, what it does, and examples that a test runs through the parser. */
export type Manual = {
  readonly usage: string;
  readonly does: string;
  readonly details: readonly string[];
  readonly examples: readonly string[];
};

export const manuals = {
  quarantine: {
    usage:
      "quarantine [cluster:]<namespace>/[kind/]<name> [review 2h] [--engine NAME] [--no-detach] [--change-policies] [--confirm NAME] [--override] [--incident ID] [--dry-run] [reason …]",
    does: "cut one pod, or all of a workload, off from new connections, and say whether that holds",
    details: [
      "Alone, in Slack, it opens a form that helps to find the pod.",
      "Shows the plan first; nothing is written before Confirm.",
      "The beginning of a pod's name is enough where it is unique.",
      "payments/deploy/checkout, or deploy/checkout -n payments: all pods of the workload and those to come, by its selector;",
      "also sts, ds, rs, job and rc. Its pods keep their labels, and so their Services and their controller.",
      "Without a cluster: the channel's, else the default, else the only one that holds the pod; it is never guessed.",
      "review 2h: the card asks after two hours whether it is still needed; it never releases by itself.",
      "--engine: cilium, calico, antrea, cluster-network-policy, admin-network-policy or networkpolicy, instead of the strongest that is enforced.",
      "--no-detach: the pod keeps its labels, so its Services and its controller keep it; --detach: it leaves them, and a replacement starts.",
      "--change-policies: policies of others that would still let the pod talk are changed so that they leave it out, and back by the release.",
      "--confirm NAME: does what is refused without: the last ready replica of a Service, a part of the cluster's machinery. NAME is the full name of the pod, or of the workload.",
      "--override: what a guard rail refuses (a protected namespace, more pods or more actions in a minute than the limits) with the agreement of another person, who has the right approve.",
      "--incident ID: the incident that it belongs to, instead of the one that the channel is bound to.",
    ],
    examples: [
      "quarantine payments/checkout-7d9f",
      "quarantine payments/checkout-7d9f --engine cilium --no-detach",
      "quarantine payments/checkout-7d9f --confirm checkout-7d9f-x2x4p",
      "quarantine payments/deploy/checkout --override more than five pods at once",
      "quarantine payments/checkout-7d9f review 2h odd outbound traffic",
      "quarantine payments/checkout-7d9f --dry-run",
      "quarantine prod-eu:payments/checkout-7d9f",
      "quarantine deploy/checkout -n payments",
      "quarantine prod-eu:payments/sts/db review 1h",
    ],
  },
  lockdown: {
    usage:
      "lockdown [cluster:]<namespace> --confirm <namespace> [review 2h] [--engine NAME] [--override] [--incident ID] [--dry-run] [reason …]",
    does: "cut off all pods of a namespace, and those to come, from new connections but DNS and the configured endpoints",
    details: [
      "It needs the right lockdown, the namespace's name once more after --confirm, and Confirm twice.",
      "Pods of the namespace do not reach each other any more either. Pods of the host's network are not covered, and named.",
      "A pod that is in quarantine stays cut off from DNS too.",
      "--override: a protected namespace, with the agreement of another person, who has the right approve.",
      "release ends it, by its operation or by the namespace: exactly what was written is deleted.",
    ],
    examples: [
      "lockdown payments --confirm payments",
      "lockdown prod-eu:payments --confirm payments review 1h credential theft",
      "lockdown payments --confirm payments --dry-run",
    ],
  },
  release: {
    usage:
      "release <operation | [cluster:]namespace/pod | namespace/kind/name | namespace> [--delete-pod] [--keep this|replacement] [--incident ID] [--dry-run] [reason …]",
    does: "end a quarantine or a lockdown: restore the pod's labels exactly and remove what was written",
    details: [
      "Shows the plan first; nothing is written before Confirm.",
      "--delete-pod deletes the pod instead of restoring it.",
      "--keep says which pod the ReplicaSet should keep when the released one makes one too many.",
      "It belongs to the incident of --incident, else of the channel, else of the quarantine that it ends.",
    ],
    examples: [
      "release q-7f3kd2m",
      "release payments/checkout-7d9f --keep this false alarm",
      "release q-7f3kd2m --delete-pod",
      "release payments/deploy/checkout",
      "release payments all is clear",
    ],
  },
  allow: {
    usage: "allow [<template> key=value … [for 30m] [--break-glass] [--incident ID] [--dry-run] [reason …]]",
    does: "open a path by a template that was approved beforehand; it closes by itself when its time has come",
    details: [
      "Alone it lists the templates that you may use; with a template alone, in Slack, it opens a form.",
      "Shows the plan first, with what opens by all policies together; nothing is written before Confirm.",
      "for 30m: how long, up to the template's most; without it the template's own time.",
      "Both ends are looked at: where another policy would still block the path, it is refused and that policy is named.",
      "--break-glass: without the approval that it needs, for a short time, with a reason; everybody who could approve is called, and another person has to review it.",
      "cluster=NAME, where the values do not name it. Quarantined pods are left out, whatever is opened.",
    ],
    examples: [
      "allow",
      "allow egress-to-cidr workload=payments/deploy/checkout cidr=203.0.113.0/24 for 30m the bank moved",
      "allow dns workload=payments/deploy/checkout --dry-run",
      "allow egress-to-cidr workload=payments/deploy/checkout cidr=203.0.113.0/24 for 10m --break-glass the bank moved at night",
    ],
  },
  extend: {
    usage: "extend <operation> <time> [reason …]",
    does: "let an allowance hold for longer, up to the most that its template allows in all",
    details: ["It needs the right to allow. It takes effect at once."],
    examples: ["extend a-7f3kd2m 30m", "extend a-7f3kd2m 15m the failover is not through"],
  },
  approve: {
    usage: "approve <operation> [--dry-run]",
    does: "agree to what somebody else has asked for, exactly as its card shows it",
    details: [
      "The same as the button Approve on its card. It needs the right approve in every namespace that it writes in.",
      "Not for whoever asked, nor for who looks like them; each person counts once; in the container nobody can be told from anybody.",
      "The plan is drawn again: where it is not the one any more that was asked about, the request is void and nothing is written.",
      "At a terminal the plan is shown before the question; --yes agrees without it.",
    ],
    examples: ["approve a-7f3kd2m", "approve q-7f3kd2m --dry-run"],
  },
  deny: {
    usage: "deny <operation>",
    does: "end what somebody else has asked for; nothing is written then",
    details: [
      "The same as the button Deny on its card, for everybody who could approve it. Whoever asked can press Cancel.",
    ],
    examples: ["deny a-7f3kd2m"],
  },
  review: {
    usage: "review <operation> <note …>",
    does: "sign what was done without the agreement of others, or what is to be looked at after its end",
    details: [
      "Until then it stays on status, on its card and in the timeline of its incident as one that needs a review.",
      "It needs the right approve there, another person than who asked or confirmed it, and a note: what you found.",
    ],
    examples: ["review a-7f3kd2m the failover needed it, ticket INC-482 has the follow-up"],
  },
  end: {
    usage: "end <operation> [reason …]",
    does: "close an allowance now, before its time has come",
    details: [
      "It needs the right to allow, or one to cut off. What it opened is closed at once.",
      "u-…: Flux may write again what that rollback made it leave alone (rollback.suspendFlux); it needs the right to rollback.",
    ],
    examples: ["end a-7f3kd2m", "end a-7f3kd2m done early", "end u-7f3kd2m the fix is merged"],
  },
  rollback: {
    usage:
      "rollback [[cluster:]namespace | namespace/[kind/]policy | revision | operation | --since 15m | --incident ID] [--later-too | --merge] [--confirm NAME] [--override] [--break-glass] [--dry-run] [reason …]",
    does: "undo changes of policies, whoever made them, or an operation of Bulkhead's",
    details: [
      "Shows the plan first: what is written, what opens and closes by it, who made the change, and what has changed since.",
      "Alone: the last change in the channel's cluster, in namespaces where you may, that has not been undone; with a namespace, there.",
      "namespace/policy: its last change; /policy is one of the whole cluster. v-…: that change, as /np history names it. u-…: what that rollback did.",
      "q-… and l-… are released, and what r-… released is cut off again; a-… is as long as before it was extended last, else it ends.",
      "--since 15m: all changes of that time, whoever made them, newest first, in one plan; --incident ID: all since that incident began.",
      "Where a policy was changed again after it: --later-too undoes that as well, --merge keeps it where both changed different fields.",
      "What opens anything needs the right allow there too, and the approval of others; --break-glass goes without, and somebody reviews it.",
      "--confirm NAME: does what is refused without; --override: what lies in a protected namespace, with the agreement of another person.",
    ],
    examples: [
      "rollback",
      "rollback payments",
      "rollback payments/allow-web the deploy broke checkout",
      "rollback v-7f3kd2m --later-too",
      "rollback v-7f3kd2m --merge --dry-run",
      "rollback u-7f3kd2m it was needed after all",
      "rollback --since 15m",
      "rollback payments --incident INC-482",
      "rollback prod-eu:payments/ciliumnetworkpolicy/allow-web",
      "rollback prod-eu:/wide --dry-run",
    ],
  },
  status: {
    usage: "status [cluster:][namespace]",
    does: "what is in force, and whether Bulkhead itself is well",
    details: ["Without a cluster it is about all of them."],
    examples: ["status", "status payments", "status prod-eu:payments", "status prod-eu:"],
  },
  drift: {
    usage: "drift [cluster:][namespace]",
    does: "what of all that is in force is not as Bulkhead holds it, who changed it as far as known, and what was accepted",
    details: [
      "It looks at the cluster now: objects of quarantines, lockdowns and allowances, labels of quarantined pods, and policies that open again what is cut off.",
      "The same is watched all the time and told on the operation's card, which has Restore and Accept.",
      "It needs the right status; what is in a namespace where you have no right is left out.",
      "At a terminal, drift --declared DIR compares a folder of manifests with the cluster: bulkhead help drift --declared.",
    ],
    examples: ["drift", "drift payments", "drift prod-eu:payments"],
  },
  explain: {
    usage: "explain [cluster:]<namespace>/<name> → <namespace>/<name>:<port>[/udp]",
    does: "whether one may connect to the other by all policies that there are, and why",
    details: [
      "A name is a workload, a Service, a pod or the beginning of a pod's name (namespace/kind/name: only of that kind);",
      "an IP address may stand for one end.",
      "For the arrow -> (in a shell, in quotes) or the word to will do. Or: explain --from A --to B --port N [--protocol UDP].",
      "It needs the right status in both namespaces. It reads, and writes nothing.",
      "It says what the policies say, not what was tried: undecided where something is not evaluated or could not be read.",
    ],
    examples: [
      "explain payments/checkout → db/postgres:5432",
      "explain payments/checkout-7d9f to kube-system/kube-dns:53/udp",
      "explain prod-eu:payments/checkout → 203.0.113.7:443",
      "explain --from payments/checkout --to db/postgres --port 5432",
    ],
  },
  audit: {
    usage: "audit [since 24h] [cluster:][namespace/] [by @user] [incident ID]",
    does: "who did what, when and why, and what was refused",
    details: [
      "Shows what lies in namespaces where you have the right audit.",
      "From a terminal also: audit verify [--from FILE], audit export --output ndjson,",
      "and audit export --incident ID [--output markdown|json|csv]: a timeline for the postmortem.",
    ],
    examples: [
      "audit",
      "audit since 2h payments/",
      "audit prod-eu:payments/",
      "audit by <@U024BE7LH|jane>",
      "audit since 7d incident INC-482",
    ],
  },
  history: {
    usage: "history [[cluster:]namespace | [cluster:]namespace/[kind/]policy] [since 2h]",
    does: "who changed which policy when, and what that opens and closes",
    details: [
      "Whoever made them: a pipeline, a person with kubectl, another controller, or Bulkhead. Newest first; a deleted policy keeps its history.",
      "It needs the right status, and shows what lies in namespaces where you have it; what is of the whole cluster, with the right in all.",
      "What a change opens and closes is worked out by the pods and the other policies that are there now.",
      "Show diff is diff with the change's id, Roll back is rollback with it.",
    ],
    examples: [
      "history",
      "history payments since 2h",
      "history payments/allow-dns",
      "history prod-eu:/wide",
      "history prod-eu:payments since 30m",
    ],
  },
  flows: {
    usage:
      "flows [[cluster:]namespace | [cluster:]namespace/[kind/]workload | operation] [since 15m] | flows watch|unwatch [place] [every 1h | at 09:00] | flows watched",
    does: "what is being denied, between whom, since when, and by which policy",
    details: [
      "By workload, the last 15 minutes unless since says otherwise (5m to 48h); what was not seen in the same time before comes first, marked new.",
      "Which policy: as the flow source names it where a rule denies, else worked out by the policies that are there now.",
      "An operation (q-…, l-…, a-…): what is denied to and from its target while it is in force.",
      "It needs the right status, and shows what begins or ends in namespaces where you have it.",
      "Explain says why in full, Allow opens a plan by the narrowest template that fits, Mute leaves the line out for 8 h, for everybody.",
      "flows muted lists what is muted, with a button to end that. Totals count what is muted.",
      "flows watch has the same told in the channel where it is typed: every 5m to 48h (1h unless said), or at a time of day in UTC; it is quiet where nothing is new since the last post.",
      "Everybody in the channel then reads what you may see. flows unwatch ends it, flows watched lists what is watched there.",
      "At a terminal, flows --from FILE reads a file of flows, or standard input (-), with neither cluster nor Redis.",
    ],
    examples: [
      "flows",
      "flows payments",
      "flows payments/checkout since 2h",
      "flows prod-eu:payments/deploy/checkout",
      "flows q-7f3kd2m",
      "flows muted",
      "flows watch payments every 1h",
      "flows watch payments/checkout at 09:00",
      "flows unwatch payments",
      "flows watched",
    ],
  },
  diff: {
    usage: "diff <change>",
    does: "one change of a policy as YAML, and in connections opened and closed",
    details: [
      "The id of a change begins with v-; history lists them, and the beginning of one is enough.",
      "It needs the right status there. At a terminal also: diff DIR_BEFORE DIR_AFTER, on manifests.",
    ],
    examples: ["diff v-7f3kd2m"],
  },
  "verify-enforcement": {
    usage: "verify-enforcement [<cluster>:]",
    does: "find out by two throw-away pods in each node pool whether the cluster enforces NetworkPolicy at all",
    details: [
      "They open new connections to each other under a policy that denies ingress, one that denies egress, and without.",
      "It needs the right verify-enforcement in the canary's namespace, and deploy/components/canary in the cluster.",
      "What it found is kept for a day and counts when Bulkhead says whether a quarantine holds.",
      "One run in a cluster at a time; it takes some minutes, and deletes what it made.",
    ],
    examples: ["verify-enforcement", "verify-enforcement prod-eu:"],
  },
  incident: {
    usage: "incident [<id> | off]",
    does: "the incident that this channel is bound to: show it, bind one, or end that",
    details: [
      "Every quarantine, lockdown and release that is typed in the channel carries the incident: on its card, in the audit, on the policy.",
      "Binding needs the right to quarantine, to lock down or to release in some namespace; any right is enough to look.",
      "At a terminal: --incident ID on quarantine, lockdown and release, or BULKHEAD_INCIDENT.",
    ],
    examples: ["incident", "incident INC-482", "incident off"],
  },
  whoami: {
    usage: "whoami",
    does: "who Bulkhead takes you for, and what you may do",
    details: [],
    examples: ["whoami"],
  },
  help: {
    usage: "help [command]",
    does: "this list, or one command in full",
    details: [],
    examples: ["help", "help quarantine"],
  },
} satisfies Record<CommandName, Manual>;

/** Whether the word is a command's name; looked up safely, since words come from outside. */
export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(manuals, word);
}
