import { App, LogLevel, SocketModeReceiver } from "@slack/bolt";
import { type SandboxSlack, type SandboxSlackOptions, startSandboxSlack } from "../../../src/sandbox/slack/server.ts";
import { waitFor } from "../../wait.ts";

/** A sandbox with the real Bolt connected to it; `listen` adds the app's listeners. */
export type ConnectedBolt = {
  readonly slack: SandboxSlack;
  readonly app: App;
  readonly close: () => Promise<void>;
};

/** Starts both; `receivers` is how many Socket Mode connections the app holds. */
export async function connectBolt(
  listen: (app: App) => void,
  { receivers = 1, ...options }: SandboxSlackOptions & { readonly receivers?: number } = {},
): Promise<ConnectedBolt> {
  const slack = await startSandboxSlack(options);
  const clientOptions = { slackApiUrl: slack.apiUrl, timeout: 5_000, retryConfig: { retries: 0 } };
  const [first, ...others] = Array.from({ length: receivers }, () => makeReceiver(slack));
  const app = new App({
    token: slack.botToken,
    receiver: first!,
    clientOptions,
    convoStore: false,
    logLevel: LogLevel.ERROR,
  });
  listen(app);
  await app.start();
  for (const receiver of others) {
    receiver.init(app);
    await receiver.start();
  }
  const all = [first!, ...others];
  const isConnecting = trackConnecting(all);
  const close = async () => {
    // One that is closed before its hello was read rejects with nothing, where nobody can catch it.
    await waitFor(() => !isConnecting());
    await Promise.all(all.map((receiver) => receiver.client.disconnect()));
    await slack.close();
  };
  return { slack, app, close };
}

/** Whether one of them opens a connection again that it had lost. */
function trackConnecting(receivers: readonly SocketModeReceiver[]): () => boolean {
  const connecting = new Set<SocketModeReceiver>();
  for (const receiver of receivers) {
    receiver.client.on("connecting", () => connecting.add(receiver));
    for (const end of ["connected", "disconnected"]) receiver.client.on(end, () => connecting.delete(receiver));
  }
  return () => connecting.size > 0;
}

function makeReceiver(slack: SandboxSlack): SocketModeReceiver {
  return new SocketModeReceiver({
    appToken: slack.appToken,
    clientPingTimeout: 1_000,
    logLevel: LogLevel.ERROR,
    installerOptions: { clientOptions: { slackApiUrl: slack.apiUrl, timeout: 5_000 } },
  });
}

/** The error code of a refused Web API call; throws where it was not refused. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const { data } = error as { data?: { error?: string } };
    if (data?.error !== undefined) return data.error;
    throw error;
  }
  throw new Error("the call was not refused");
}
