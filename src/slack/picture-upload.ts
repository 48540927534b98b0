import type { webApi } from "@slack/bolt";
import type { Dispatcher } from "undici";
import { z } from "zod";
import type { Picture } from "../pictures/picture.ts";
import { calling, callTimeoutMs, fetchBy } from "./calls.ts";
import { cut, oneLine } from "./escape.ts";

/** Where a picture goes: into a conversation, there into the thread below a message. */
export type PicturePlace = { readonly channel: string; readonly thread: string | undefined };

export type UploadOptions = {
  readonly client: webApi.WebClient;
  readonly apiUrl: string;
  readonly dispatcher?: Dispatcher | undefined;
};

/**
 * Uploads in Slack's three steps (docs: files.getUploadURLExternal): asks for an address, sends the bytes there, shares
 * the file. What was not shared nobody sees, so that the first two are tried twice; sharing is not repeated after
 * silence, since it may have been done. Throws what Slack answered last. Needs the scope files:write.
 */
export async function uploadPicture(
  picture: Picture & { readonly title: string },
  { channel, thread }: PicturePlace,
  options: UploadOptions,
): Promise<void> {
  const id = await sent(picture, options).catch(() => sent(picture, options));
  await calling(() =>
    options.client.files.completeUploadExternal({
      files: [{ id, title: cut(oneLine(picture.title), 150) }],
      channel_id: channel,
      ...(thread === undefined ? {} : { thread_ts: thread }),
    }),
  );
}

const asked = z.object({ upload_url: z.url(), file_id: z.string() });

/** The id of the file, which is with Slack then, and which nobody sees yet. */
async function sent({ png, altText }: Picture, options: UploadOptions): Promise<string> {
  // `alt_txt` by docs.slack.dev/reference/methods/files.getUploadURLExternal; the Node SDK's own type says `alt_text`, which is not documented.
  const about = { filename: "denied.png", length: png.length, alt_txt: altText };
  const answer = await calling(() => options.client.apiCall("files.getUploadURLExternal", about));
  const { upload_url: url, file_id: id } = asked.parse(answer);
  if (!isSlacks(url, options.apiUrl)) throw new Error("the address for an upload is not Slack's");
  const response = await fetchBy(options.dispatcher)(url, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: Uint8Array.from(png),
    redirect: "error",
    signal: AbortSignal.timeout(callTimeoutMs),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the upload was answered with ${response.status}`);
  return id;
}

/** `files.` of the API's host or of slack.com, or the API's own origin (a sandbox). */
function isSlacks(address: string, apiUrl: string): boolean {
  const [url, api] = [new URL(address), new URL(apiUrl)];
  if (url.origin === api.origin) return true;
  return url.protocol === "https:" && ["files.slack.com", `files.${api.host}`].includes(url.host);
}
