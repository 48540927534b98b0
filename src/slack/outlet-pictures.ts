import type { Outlet, Shown } from "../commands/desk.ts";
import type { Reply } from "../commands/reply.ts";
import type { CardReference } from "../policy/operation.ts";
import type { PictureFor, PicturePost } from "./picture-post.ts";

export type OutletPictures = {
  readonly pictures: PicturePost;
  /** Who asked: a picture to what nobody else may see goes there; undefined: then there is none. */
  readonly person: string | undefined;
  /** Where they asked, as far as they can be told something there alone. */
  readonly asked: string | undefined;
};

/** The outlet, and after each text its picture: below the card, or for who asked. Once in a place: cards change often. */
export function withPictures<T extends Required<Outlet>>(outlet: T, { pictures, person, asked }: OutletPictures): T {
  const sent = new Set<string>();

  async function show(reply: Reply, card: CardReference | undefined): Promise<Shown> {
    const shown = await outlet.show(reply, card);
    const to = shown.card === undefined ? forPerson(person, asked) : below(shown.card);
    if (reply.picture === undefined || to === undefined || !shown.reached) return shown;
    if (!sent.has(JSON.stringify(to))) pictures.send(reply.picture, to);
    sent.add(JSON.stringify(to));
    return shown;
  }

  async function follow(reply: Reply, card: CardReference): Promise<boolean> {
    const followed = await outlet.follow(reply, card);
    if (followed && reply.picture !== undefined) pictures.send(reply.picture, below(card));
    return followed;
  }

  return { ...outlet, show, follow };
}

function forPerson(person: string | undefined, asked: string | undefined): PictureFor | undefined {
  return person === undefined ? undefined : { person, asked };
}

function below({ channel, ts }: CardReference): PictureFor {
  return { channel, thread: ts };
}
