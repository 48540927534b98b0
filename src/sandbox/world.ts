import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Bot, startBot } from "./bot-process.ts";
import { type SandboxCluster, startSandboxCluster } from "./kubernetes/cluster.ts";
import { seedObjects } from "./kubernetes/seed.ts";
import { type SandboxSlack, type SandboxSlackOptions, startSandboxSlack } from "./slack/server.ts";
import { writeTemplates } from "./templates.ts";
import { postTo, startTraffic, type Traffic } from "./traffic.ts";

export type WorldOptions = {
  readonly node: string;
  /** Environment to pass on to the bot (PATH, HOME); ours is added. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly redisUrl: string;
  /** Text of a kubeconfig of another cluster than the sandbox's. */
  readonly kubeconfig?: string;
  /** Members of the configuration file that differ from the demo's. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly slack?: SandboxSlackOptions;
  /** What is in the cluster beside the demo's. */
  readonly objects?: readonly object[];
  /** Variables that reach this Slack in another way than by its own address. */
  readonly slackEnv?: (slack: SandboxSlack) => Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
  /** Whether the cluster's programs talk to each other, and its nodes' agents tell the bot of it. Default: no. */
  readonly traffic?: boolean;
};

/** Everything on this machine: a cluster, a Slack and the real bot between them. */
export type World = {
  readonly cluster: SandboxCluster;
  readonly slack: SandboxSlack;
  readonly bot: Bot;
  /** Undefined where nobody talks. */
  readonly traffic: Traffic | undefined;
  /** Environment of a process that uses the same cluster, Redis and configuration: another replica, a terminal. */
  readonly env: Readonly<Record<string, string | undefined>>;
  close(): Promise<void>;
};

/** Starts them, and resolves when the bot is ready. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-world-"));
  const cluster = await startSandboxCluster({ objects: [...seedObjects(), ...(options.objects ?? [])] });
  const slack = await startSandboxSlack(options.slack);
  const files = { kubeconfig: join(folder, "kubeconfig"), config: join(folder, "config.yaml") };
  const templates = join(folder, "allowlists");
  await writeTemplates(templates);
  await writeFile(files.kubeconfig, options.kubeconfig ?? cluster.kubeconfig);
  await writeFile(files.config, stringify({ ...demoConfig(slack.teamId), templates, ...options.config }));
  const token = options.traffic === true ? randomBytes(24).toString("hex") : undefined;
  const env = {
    ...options.env,
    ...(token !== undefined && { FLOWS_TOKEN: token }),
    KUBECONFIG: files.kubeconfig,
    BULKHEAD_CONFIG: files.config,
    REDIS_URL: options.redisUrl,
    SLACK_API_URL: slack.apiUrl,
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_APP_TOKEN: slack.appToken,
    ...options.slackEnv?.(slack),
  };
  const put = async (): Promise<void> => {
    await Promise.all([slack.close(), cluster.close()]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const bot = await startBot({ ...options, env });
    const traffic = token === undefined ? undefined : trafficTo(bot, cluster, token);
    const close = async (): Promise<void> => {
      await traffic?.stop();
      await bot.stop();
      await put();
    };
    return { cluster, slack, bot, traffic, env, close };
  } catch (error) {
    await put();
    throw error;
  }
}

/** What is usual is learnt from it, and a spike's picture shows it. */
const backlogMs = 45 * 60_000;

function trafficTo({ url }: Bot, cluster: SandboxCluster, token: string): Traffic {
  return startTraffic({ cluster, post: postTo(`${url}/flows/sandbox`, token), now: Date.now, backlogMs });
}

/**
 * The demo's configuration. Packets do not flow in a sandbox: that policies are enforced is what the configuration says, as
 * it would be for a cluster whose network plugin is known to.
 */
function demoConfig(team: string): Readonly<Record<string, unknown>> {
  return {
    clusters: [{ name: "sandbox", enforcement: "enforced" }],
    settle: "2s",
    // No CronJob runs here.
    allow: { requireReaper: false },
    // Of shop, where the tour isolates a pod, the operation's card tells what is denied. Who tries it out waits less long, and its
    // agents are never late.
    watch: {
      channels: [{ namespaces: ["payments", "db"], channel: "C0INCIDENT" }],
      spikes: { confirm: "1m", quiet: "1m", late: "3s" },
    },
    // One person tries it out.
    rollback: { approvals: 0 },
    endpoints: {
      monitoring: [
        {
          name: "prometheus",
          direction: "ingress",
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
          podSelector: { matchLabels: { app: "prometheus" } },
          ports: [{ protocol: "TCP", port: 9090 }],
        },
      ],
    },
    access: [
      {
        principals: [`slack:${team}/U0ALICE`, "terminal:sandbox-admin"],
        verbs: ["*"],
        namespaces: ["payments", "shop", "db"],
      },
      { principals: [`slack:${team}/U0BOB`], verbs: ["status", "audit", "approve"], namespaces: ["*"] },
    ],
    terminal: { user: "sandbox" },
  };
}
