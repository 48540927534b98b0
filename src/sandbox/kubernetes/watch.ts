import type { ServerResponse } from "node:http";
import type { KubeObject } from "./objects.ts";
import type { Selector } from "./selectors.ts";
import { expired } from "./status.ts";
import type { Change, Store } from "./store.ts";

export type WatchRequest = {
  readonly storage: string;
  readonly namespace: string;
  readonly selects: Selector;
  /** Undefined or 0: what exists comes first, as ADDED. */
  readonly resourceVersion: number | undefined;
  readonly bookmarks: boolean;
  readonly timeoutSeconds: number;
  /** What the client gets to see of an object. */
  readonly show: (object: KubeObject) => unknown;
  /** apiVersion and kind of the resource: bookmarks bear them. */
  readonly type: { readonly apiVersion: string; readonly kind: string };
};

export type WatchTiming = {
  /** Between two bookmarks of a watch that asked for them. */
  readonly bookmarkEveryMs: number;
  /** Everything that is sent goes through this: it holds it up while the server is frozen. */
  readonly whenReady: (act: () => void) => void;
};

/**
 * Streams changes as lines of JSON until the time is up or the client goes. A last bookmark comes 2 s before the end,
 * as from the server. A resourceVersion that the history no longer reaches is answered within the stream: one ERROR
 * event with a 410 Status. Returns what ends it with that event whenever it is called.
 */
export function serveWatch(
  store: Store,
  request: WatchRequest,
  response: ServerResponse,
  { bookmarkEveryMs, whenReady }: WatchTiming,
): () => void {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
  response.flushHeaders();
  const write = (text: string): void => void (response.writableEnded || response.write(text));
  const send = (type: string, object: unknown): void => whenReady(() => write(`${JSON.stringify({ type, object })}\n`));
  const finish = (): void => whenReady(() => void response.end());
  const from = request.resourceVersion ?? 0;
  const missed = from === 0 ? [] : store.since(from);
  const expire = (): void => {
    send("ERROR", expired(`too old resource version: ${from} (${store.oldest()})`).status);
    finish();
  };
  if (missed === undefined) {
    expire();
    return () => undefined;
  }
  const forward = (change: Change): void => {
    const event = eventOf(change, request);
    if (event !== undefined) send(event.type, request.show(event.object));
  };
  if (from === 0) for (const object of existing(store, request)) send("ADDED", request.show(object));
  for (const change of missed) forward(change);
  const bookmark = (): void => {
    if (request.bookmarks)
      send("BOOKMARK", {
        ...request.type,
        metadata: { resourceVersion: String(store.revision()), creationTimestamp: null },
      });
  };
  const clocks = startClocks({ bookmark, finish }, request.timeoutSeconds, bookmarkEveryMs);
  const unsubscribe = store.subscribe(forward);
  // The response's close, not the request's: that one fires as soon as the request body has ended.
  response.on("close", () => {
    unsubscribe();
    clocks.stop();
  });
  return expire;
}

type Acts = { readonly bookmark: () => void; readonly finish: () => void };

function startClocks({ bookmark, finish }: Acts, timeoutSeconds: number, bookmarkEveryMs: number) {
  const often = setInterval(bookmark, bookmarkEveryMs);
  const last = setTimeout(bookmark, Math.max(0, timeoutSeconds - 2) * 1_000);
  const end = setTimeout(finish, timeoutSeconds * 1_000);
  return {
    stop() {
      clearInterval(often);
      clearTimeout(last);
      clearTimeout(end);
    },
  };
}

function existing(store: Store, { storage, namespace, selects }: WatchRequest): KubeObject[] {
  return store.list(storage, namespace === "" ? undefined : namespace).filter(selects);
}

/** An object that begins to be selected is ADDED, one that no longer is comes as DELETED, in its last selected form. */
function eventOf(change: Change, request: WatchRequest): { type: Change["type"]; object: KubeObject } | undefined {
  const { object, previous } = change;
  if (change.storage !== request.storage) return undefined;
  if (request.namespace !== "" && object.metadata.namespace !== request.namespace) return undefined;
  const was = previous !== undefined && request.selects(previous);
  const is = change.type !== "DELETED" && request.selects(object);
  if (is) return { type: was ? "MODIFIED" : "ADDED", object };
  if (!was) return undefined;
  if (change.type === "DELETED") return { type: "DELETED", object };
  const metadata = { ...previous.metadata, resourceVersion: object.metadata.resourceVersion };
  return { type: "DELETED", object: { ...previous, metadata } };
}
