import { App, LogLevel, SocketModeReceiver } from "@slack/bolt";

/** A process with Bolt, as many connections as the bot has, and a listener that only acknowledges: the baseline. */
const { SLACK_API_URL = "", SLACK_BOT_TOKEN = "", SLACK_APP_TOKEN = "" } = process.env;
const clientOptions = { slackApiUrl: SLACK_API_URL };

const receiver = createReceiver();
const app = new App({
  authorize: () => Promise.resolve({ botToken: SLACK_BOT_TOKEN }),
  receiver,
  clientOptions,
  convoStore: false,
  logLevel: LogLevel.ERROR,
});
app.command("/np", ({ ack }) => ack({ response_type: "ephemeral", text: "acknowledged" }));
await app.start();
const second = createReceiver();
second.init(app);
await second.start();

// Ends with its parent, however that ends.
process.stdin.on("end", () => process.exit(0)).resume();

function createReceiver(): SocketModeReceiver {
  return new SocketModeReceiver({
    appToken: SLACK_APP_TOKEN,
    logLevel: LogLevel.ERROR,
    installerOptions: { clientOptions },
  });
}
