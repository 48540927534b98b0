import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { Agent, request } from "undici";
import type { Alert } from "./commands/spike-alert.ts";

export type AlertmanagerConfig = {
  /** Such as `http://alertmanager.monitoring.svc:9093`; may have a path before `/api`. */
  readonly url: string;
  /** Files are read again at every call, as tokens and certificates are renewed on disk. */
  readonly tokenFile?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tls?: {
    readonly caFile?: string | undefined;
    readonly certFile?: string | undefined;
    readonly keyFile?: string | undefined;
    readonly serverName?: string | undefined;
  };
};

export type Alertmanager = {
  /**
   * Sends them to every Alertmanager, for members of a cluster tell each other late or never. Returns why it failed at each
   * that did not take them, in words without secrets; empty: all have them.
   */
  send(alerts: readonly Alert[]): Promise<readonly string[]>;
};

export type AlertmanagerOptions = {
  readonly timeoutMs?: number;
  /** Pauses before each try after the first, milliseconds. */
  readonly pausesMs?: readonly number[];
};

const longest = { label: 120, annotation: 1_000 } as const;
/** More than that in one body is refused by no Alertmanager, and so much is known never to be needed. */
const mostAtOnce = 100;

/** Alertmanager 0.16 and later: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml, POST /alerts. */
export function createAlertmanager(
  configs: readonly AlertmanagerConfig[],
  { timeoutMs = 5_000, pausesMs = [500, 2_000] }: AlertmanagerOptions = {},
): Alertmanager {
  return {
    async send(alerts) {
      if (alerts.length === 0) return [];
      const body = JSON.stringify(alerts.slice(0, mostAtOnce).map(wireOf));
      const whys = await Promise.all(configs.map((config) => sendTo(config, body, { timeoutMs, pausesMs })));
      return whys.flatMap((why, index) => (why === undefined ? [] : [`${hostOf(configs[index])}: ${why}`]));
    },
  };
}

/** Undefined: taken. What is wrong with the alerts themselves is not sent again. */
async function sendTo(
  config: AlertmanagerConfig,
  body: string,
  { timeoutMs, pausesMs }: Required<AlertmanagerOptions>,
): Promise<string | undefined> {
  let why = "";
  for (const pauseMs of [0, ...pausesMs]) {
    await wait(pauseMs);
    const answer = await post(config, body, timeoutMs).catch((error: unknown) => wordsOf(error));
    if (answer === 200) return undefined;
    why = typeof answer === "number" ? `answered ${answer}` : answer;
    if (typeof answer === "number" && answer >= 400 && answer < 500 && answer !== 429) return why;
  }
  return why;
}

/** The status that it answered. */
async function post(config: AlertmanagerConfig, body: string, timeoutMs: number): Promise<number> {
  const dispatcher = new Agent({ connect: await tlsOf(config), pipelining: 0 });
  try {
    const answer = await request(`${config.url.replace(/\/+$/, "")}/api/v2/alerts`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(await authorization(config)) },
      body,
      dispatcher,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body.dump({ limit: 64_000 });
    return answer.statusCode;
  } finally {
    await dispatcher.close();
  }
}

async function tlsOf({ tls }: AlertmanagerConfig) {
  const text = async (path: string | undefined) => (path === undefined ? undefined : readFile(path, "utf8"));
  const [ca, cert, key] = await Promise.all([text(tls?.caFile), text(tls?.certFile), text(tls?.keyFile)]);
  const { serverName } = tls ?? {};
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

async function authorization({ tokenFile, username, passwordFile }: AlertmanagerConfig) {
  if (tokenFile !== undefined) return { authorization: `Bearer ${(await readFile(tokenFile, "utf8")).trim()}` };
  if (username === undefined || passwordFile === undefined) return {};
  const password = (await readFile(passwordFile, "utf8")).trim();
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}

function wireOf({ labels, annotations, startsAtMs, endsAtMs }: Alert) {
  return {
    labels: cut(labels, longest.label),
    annotations: cut(annotations, longest.annotation),
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: new Date(endsAtMs).toISOString(),
  };
}

/**
 * Alertmanager takes UTF-8 alone, and an empty label for none. Its receivers escape nothing: to Slack, angle brackets would be
 * a mention or a link, to mail an element.
 */
function cut(texts: Readonly<Record<string, string>>, most: number): Record<string, string> {
  const cuts = Object.entries(texts).map(([name, text]) => [
    name,
    text.slice(0, most).toWellFormed().replaceAll("<", "‹").replaceAll(">", "›"),
  ]);
  return Object.fromEntries(cuts.filter(([, text]) => text !== ""));
}

/** Of a configured address, its host alone: the rest may be secret. */
function hostOf(config: AlertmanagerConfig | undefined): string {
  return URL.parse(config?.url ?? "")?.host ?? "Alertmanager";
}

/** The code of the cause: messages may repeat headers. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return "failed";
  if (error.name === "TimeoutError") return "did not answer in time";
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "EACCES") return `cannot read ${path ?? "a file"}`;
  return code === undefined ? error.name : `not reached (${code})`;
}
