import type { Reply } from "../commands/reply.ts";
import type { DeniedPicture } from "../pictures/picture.ts";
import type { Pictures } from "../pictures/pictures.ts";
import { refusal } from "./calls.ts";
import type { Cards } from "./cards.ts";
import { errorText, type Log } from "./logger.ts";
import { type PicturePlace, type UploadOptions, uploadPicture } from "./picture-upload.ts";
import { createWork } from "./work.ts";

/** A picture for the conversation of a card, below it, or for one person alone: nobody else may see what a note says. */
export type PictureFor = PicturePlace | PictureForPerson;

/** `asked`: the channel in which the person is told where no direct message reaches them; undefined: nowhere. */
type PictureForPerson = { readonly person: string; readonly asked: string | undefined };

/** Draws and posts pictures after the texts that they belong to, which wait for nothing. */
export type PicturePost = {
  /** Returns at once. Where there is no picture in the end, that is said where it would have been; never throws. */
  send(picture: DeniedPicture, to: PictureFor): void;
  /** Waits for what is being drawn and posted; false where that took longer. */
  drain(timeoutMs: number): Promise<boolean>;
};

export type PicturePostEvent = "picture-posted" | "picture-missing";

export type PicturePostOptions = UploadOptions & {
  readonly pictures: Pictures;
  readonly cards: Pick<Cards, "post" | "follow" | "whisper">;
  readonly log: Log;
  readonly onEvent: (name: PicturePostEvent) => void;
};

/** More than so many at once are not drawn: Slack is slow, and there will be newer ones. */
const mostUnderWay = 16;

export function createPicturePost(options: PicturePostOptions): PicturePost {
  let underWay = 0;
  const work = createWork((error) => {
    options.onEvent("picture-missing");
    options.log.error({ error: errorText(error) }, "a picture got lost");
  });

  async function post(picture: DeniedPicture, to: PictureFor): Promise<void> {
    const drawn = await options.pictures.draw(picture);
    const place = "person" in to ? await conversationWith(to, picture, options) : to;
    if (place === undefined) return;
    if ("why" in drawn) return missing(drawn.why, place, options);
    try {
      await uploadPicture({ ...drawn, title: picture.title }, place, options);
      options.onEvent("picture-posted");
    } catch (error) {
      options.log.error({ error: errorText(error) }, "Slack did not take a picture");
      await missing(whyRefused(refusal(error)), place, options);
    }
  }

  return {
    send(picture, to) {
      if (underWay >= mostUnderWay) return options.onEvent("picture-missing");
      underWay += 1;
      void work.start(() =>
        post(picture, to).finally(() => {
          underWay -= 1;
        }),
      );
    },
    drain: (timeoutMs) => work.drain(timeoutMs),
  };
}

/** A post to a person opens the conversation, which files cannot do without another scope. Undefined where it cannot be: that is told. */
async function conversationWith(
  to: PictureForPerson,
  { title }: DeniedPicture,
  { cards, log, onEvent }: PicturePostOptions,
): Promise<PicturePlace | undefined> {
  const words = told(title, "The picture to the answer that you got.");
  const posted = await cards.post(words, to.person).catch((error: unknown) => errorText(error));
  if (typeof posted === "object") return { channel: posted.channel, thread: posted.ts };
  onEvent("picture-missing");
  log.error({ error: posted }, "Slack did not take a direct message for a picture");
  const why = "Bulkhead cannot send you direct messages. The text says the same.";
  if (to.asked !== undefined) await cards.whisper(told("No picture this time", why), to.asked, to.person);
  return undefined;
}

async function missing(why: string, { channel, thread }: PicturePlace, options: PicturePostOptions): Promise<void> {
  options.onEvent("picture-missing");
  const reply = told("No picture this time", `${why} The text says the same.`);
  if (thread === undefined) await options.cards.post(reply, channel);
  else await options.cards.follow(reply, { channel, ts: thread });
}

/** By Slack's word for it (errors of files.getUploadURLExternal and files.completeUploadExternal). */
const refusals: Readonly<Record<string, string>> = {
  missing_scope: "The app lacks the scope files:write: update it from the manifest.",
  file_uploads_disabled: "This workspace allows no uploads.",
  file_uploads_except_images_disabled: "This workspace allows no uploads.",
  file_type_not_allowed: "This workspace allows no uploads of pictures.",
  storage_limit_reached: "This workspace has no room for files any more.",
};

function whyRefused(error: string | undefined): string {
  return refusals[error ?? ""] ?? "Slack did not take it.";
}

function told(headline: string, text: string): Reply {
  const plain = {
    shape: "note",
    tone: "neutral",
    buttons: [],
    footer: [],
    operation: undefined,
    outcome: "ok",
  } as const;
  return { ...plain, headline, sections: [{ kind: "text", text }] };
}
