import type { Redis } from "ioredis";
import { type Image, lineageOf, type PolicyKey } from "../policy/revision.ts";
import type { Known } from "./history.ts";
import { keys } from "./keys.ts";
import { headOf, imageOfForm } from "./lineage.ts";
import { decode, type Head, readHead } from "./record.ts";

type KnownPolicy = Known & { readonly key: PolicyKey };

/** Of all policies of a cluster that are there, by lineageOf. In parts, so that nothing else waits for long. Its image is read when it is asked for, and may throw then. */
export async function readHeads(
  redis: Redis,
  cluster: string,
  onProblem: (error: unknown) => void,
): Promise<ReadonlyMap<string, KnownPolicy>> {
  const known = new Map<string, KnownPolicy>();
  for await (const fields of redis.hscanBufferStream(keys.heads(cluster), { count: 500 })) {
    const heads = (fields as readonly Buffer[]).filter((_, index) => index % 2 === 1);
    for (const one of heads.flatMap((head) => readable(head, onProblem))) known.set(lineageOf(one.key), one);
  }
  return known;
}

function readable(head: Buffer, onProblem: (error: unknown) => void): readonly KnownPolicy[] {
  try {
    const there = readHead(head);
    return there === undefined ? [] : [withImage(there, head)];
  } catch (error) {
    onProblem(error);
    return [];
  }
}

/** Whoever compares thousands looks at few images. */
function withImage(there: Head, head: Buffer): KnownPolicy {
  let image: Image | undefined;
  return {
    ...there,
    get image() {
      image ??= imageOf(head);
      return image;
    },
  };
}

function imageOf(head: Buffer): Image {
  const newest = headOf(decode(head, null));
  if (newest === undefined) throw new Error("the head of a policy holds no form");
  return imageOfForm(newest.point.form);
}
