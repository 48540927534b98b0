import { setTimeout as wait } from "node:timers/promises";
import type { Acknowledgement } from "./acknowledgements.ts";
import type { HttpDelivery } from "./http-delivery.ts";
import { contentOf, postReply, readResponseBody } from "./response-url.ts";
import type { Choice, Envelope, SocketHub } from "./socket.ts";
import type { Message, Workspace } from "./workspace.ts";

/** One envelope on its way to the app, and what the app's side made of it. */
export type Delivery = {
  readonly envelope: Envelope;
  readonly acknowledgement: Acknowledgement;
  /** What the user saw at once: the acknowledgement's text or Slack's complaint; undefined where that was empty. */
  readonly shown: Message | undefined;
};

/** When, and over which connection of those that are open; by HTTP there is no choice. */
export type How = { readonly afterMs?: number; readonly connection?: Choice };

export type Dispatch = {
  /** By HTTP where a request URL is set, else by Socket Mode. Resolves when it is acknowledged, or is not in time. */
  readonly deliver: (envelope: Envelope, how?: How) => Promise<Delivery>;
};

export type DispatchParts = {
  readonly workspace: Workspace;
  readonly hub: SocketHub;
  readonly http: HttpDelivery;
};

export function createDispatch({ workspace, hub, http }: DispatchParts): Dispatch {
  return {
    deliver: async (envelope, { afterMs, connection } = {}) => {
      if (afterMs !== undefined) await wait(afterMs, undefined, { ref: false });
      const acknowledgement = await (http.url() === undefined
        ? hub.deliver(envelope, connection)
        : http.deliver(envelope));
      const shown = envelope.type === "slash_commands" ? show(workspace, envelope, acknowledgement) : undefined;
      return { envelope, acknowledgement, shown };
    },
  };
}

/** Shows the person who typed a command what its acknowledgement said, or how Slack words that there was none. */
function show(workspace: Workspace, envelope: Envelope, acknowledgement: Acknowledgement): Message | undefined {
  const target = { channel: String(envelope.payload["channel_id"]), user: String(envelope.payload["user_id"]) };
  const complain = (error: string): Message =>
    workspace.post({
      channel: target.channel,
      author: "USLACKBOT",
      text: `${String(envelope.payload["command"])} failed with the error "${error}"`,
      blocks: [],
      ephemeralTo: target.user,
      threadTs: undefined,
    });
  if (acknowledgement.kind === "timed-out") return complain("operation_timeout");
  if (acknowledgement.kind !== "acknowledged") return complain("dispatch_failed");
  const body = readResponseBody(acknowledgement.payload);
  if (body === undefined || (body.text === "" && body.blocks === undefined)) return undefined;
  const content = contentOf(body.text, body.blocks);
  return "error" in content ? complain(content.error) : postReply(workspace, target, { ...body, ...content });
}
