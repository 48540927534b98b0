import { code, list, note } from "./answers.ts";
import { isCommandName, type Manual } from "./manuals.ts";
import type { Reply, Section } from "./reply.ts";

const folder = [
  "DIR is a folder of .yaml, .yml and .json files at any depth, Lists and several documents in a file included; names that begin with a dot are left out.",
  "Read are Namespace, Pod, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob, ReplicationController, Service and the policies of every API. Other kinds are left out in silence, Ingress and Route among them: what they let in comes from their controller's pods.",
  "What is broken is named on standard error by file, document and field; then nothing is on standard output, and the exit code is 2.",
  "--engine networkpolicy|cilium|calico|antrea says who enforces; else the policies themselves tell.",
  "--ip-block-matches-pods: for engines whose ipBlock also matches the addresses of pods.",
];

/** The commands that a terminal has and Slack has not. All but reap need no cluster and no configuration. */
const toolManuals = {
  simulate: {
    usage: "simulate --manifests DIR [--output text|json] [--keep-going]",
    does: "who can talk to whom, by the manifests in a folder",
    details: [
      ...folder,
      "--keep-going answers for what could be read; a policy that could not be read makes all that it may select undecided. The exit code is 2 all the same.",
    ],
    examples: ["simulate --manifests deploy/", "simulate --manifests deploy/ --output json"],
  },
  explain: {
    usage: "explain --manifests DIR --from NAME --to NAME --port N [--protocol TCP|UDP|SCTP] [--output text|json]",
    does: "whether one thing can connect to another by the manifests in a folder, and why",
    details: [
      "NAME is namespace/name of a pod, a workload or a Service, namespace/kind/name, an IP address, a CIDR, or internet (all public IPv4 addresses).",
      "--to a name that is a Service with that port means the Service (its pods, at their own ports), unless a pod has that name.",
      "The exit code is 0 whatever the answer is; check is for what has to hold.",
      ...folder,
    ],
    examples: ["explain --manifests deploy/ --from payments/checkout --to db/postgres --port 5432"],
  },
  check: {
    usage: "check --manifests DIR --expect FILE [--junit FILE] [--output text|json]",
    does: "whether the manifests in a folder allow and deny what you expect",
    details: [
      "The file has version: 1 and a list expect of from, to, port, is: allowed or denied, and if you like name and protocol (TCP where none is given).",
      'from and to are names as explain takes them, or lists of them; namespace/* and */* are all workloads, and a name after a ! is left out: ["*/*", "!payments/checkout"].',
      "port is a number, a list of them, or any: every port, of every protocol where none is given.",
      "What is undecided, or holds for some of the pods only, is not as expected. Exit code 0: all as expected; 1: not; 2: the input is broken.",
      ...folder,
    ],
    examples: ["check --manifests deploy/ --expect policy-tests.yaml --junit report.xml"],
  },
  diff: {
    usage: "diff DIR_BEFORE DIR_AFTER [--fail-on opening|change] [--output text|json]",
    does: "what a change of manifests opens and closes",
    details: [
      "With the id of a change (diff v-1a2b3c4, see history) it is of that change in the cluster, as /np diff in Slack.",
      "The exit code is 0 whatever changes; with --fail-on opening it is 1 where anything opens or can no longer be decided, with --fail-on change where anything changes.",
      ...folder,
    ],
    examples: ["diff main/deploy/ deploy/", "diff main/deploy/ deploy/ --fail-on opening --output json"],
  },
  drift: {
    usage: "drift --declared DIR [-n NAMESPACE] [--exclude NAMESPACE,…] [--cluster X] [--output text|json]",
    does: "how the policies of a cluster differ from those that a folder of manifests declares",
    details: [
      "DIR is a folder of .yaml, .yml and .json files, such as a Git checkout; policies of every API are read of it, and other kinds left out.",
      "Told are policies that are missing, that nobody declared, and whose spec is another, with the difference as YAML. What the API server fills in by itself is none; nor are labels and annotations, nor what is Bulkhead's own.",
      "A namespace is never guessed: a policy that names none takes that of -n, or is an error. With -n that namespace alone is compared; --exclude leaves namespaces out.",
      "Exit code 0: as declared; 1: drift; 2: the folder, or a part of the cluster, could not be read. It needs a kubeconfig, and neither Redis nor Slack.",
    ],
    examples: [
      "drift --declared policies/ --exclude kube-system",
      "drift --declared policies/payments -n payments --output json",
    ],
  },
  flows: {
    usage: "flows --from FILE|- [--output text|json]",
    does: "what a file of flows says was denied, or what comes from standard input",
    details: [
      "In any format that the receiver takes: Hubble's export, what Goldmane pushes, the logs of the AWS agent, Antrea, OVN, GKE and kube-network-policies; also as Fluent Bit, Vector, CloudWatch or an answer of Loki wrap them.",
      "It needs neither a cluster nor Redis, so addresses stay addresses, and which policy denies is told only where the source names it.",
      "Lines that cannot be read are counted with the reason; of a format that is known and not read it says what to send instead. At most two days are counted, back from the last flow.",
      "Exit code 0: read; 1: no line of it could be read; 2: the file itself could not be.",
    ],
    examples: ["flows --from hubble.ndjson", "flows --from - --output json"],
  },
  templates: {
    usage: "templates lint|list [DIR] [--output text|json]",
    does: "whether the emergency allowlist templates in a folder are fine, or what they open",
    details: [
      "DIR is a folder of .yaml files, one template each, named like its file; where none is given, those that ship with this version.",
      "Every problem is named on standard error by file, line and reason; the exit code is 2 where there is one, else 0.",
      "lint also wants each template's procedure in the folder procedures beside DIR, where there is one.",
      "The bot reads its folder again every few seconds: a file that becomes bad leaves its last good version in use.",
    ],
    examples: ["templates lint runbooks/allowlists", "templates list"],
  },
  reap: {
    usage: "reap [--cluster X] [--dry-run]",
    does: "ends the allowances that are past their time, by their objects alone",
    details: [
      "In every configured cluster, or in X. It needs neither Redis nor Slack: the name of an object and its creation, by the API server's clock, say when it ends.",
      "Nothing but allowances of Bulkhead's is touched. --dry-run touches nothing, and says what would end.",
      "A JSON line for each object on standard output: closed, in-force, gone, deleting (a finalizer keeps it), failed, would-close.",
      "What fails is tried again for 40 s. Exit code 0: all that is past its time has ended; 1: something could not be ended or read; 2: the configuration is broken.",
      "The CronJob bulkhead-reaper runs it every minute, and leaves its heartbeat in the ConfigMap bulkhead-reaper.",
    ],
    examples: ["reap --dry-run", "reap --cluster prod-us"],
  },
} satisfies Record<string, Manual>;

export const toolNames = Object.keys(toolManuals);

/** `help simulate`, `simulate --help`; undefined for all that is no tool. */
export function toolHelp([first = "", ...rest]: readonly string[]): Reply | undefined {
  const asksHelp = rest.includes("--help") || rest.includes("-h");
  const topic = first === "help" || first === "--help" || first === "-h" ? rest[0] : asksHelp ? first : undefined;
  if (topic === undefined || !isTool(topic)) return undefined;
  // A command of both: its own page says more, but for its use on manifests, which diff at a terminal mostly is for.
  const asksTool = (word: string): boolean =>
    /^--(manifests|declared)/.test(word) || (topic === "flows" && word.startsWith("--from"));
  if (isCommandName(topic) && topic !== "diff" && !rest.some(asksTool)) return undefined;
  const { usage, does, details, examples } = toolManuals[topic];
  return note(`bulkhead ${topic}: ${does}`, [
    code("Usage", `bulkhead ${usage}`),
    list(undefined, details),
    code("For example", examples.map((line) => `bulkhead ${line}`).join("\n")),
  ]);
}

/** A line for each tool, to stand below the commands. */
export function toolList(): Section {
  const lines = Object.values(toolManuals).map(({ usage, does }) => `bulkhead ${usage}: ${does}`);
  return list("At a terminal alone", lines);
}

function isTool(word: string): word is keyof typeof toolManuals {
  return Object.hasOwn(toolManuals, word);
}
