import { randomBytes } from "node:crypto";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import type { Author, PolicyKey } from "../policy/revision.ts";
import { type Form, headOf, type Life, type Lineage, type Note } from "./lineage.ts";

/**
 * A lineage as it is stored. The head is what is read of all policies at once: a line in clear, `format stamp
 * resourceVersion uid`, with `-` for both where it was deleted, a line with the key as JSON, then the newest form, compressed.
 * The trail is the whole, and is left out where the head says it all, as of most policies. The stamp is another one with
 * each write.
 */
export type StoredLineage = { readonly stamp: string; readonly head: Buffer; readonly trail: Buffer | undefined };

const format = 1;

export function encode(lineage: Lineage): StoredLineage {
  const stamp = randomBytes(9).toString("base64url");
  const newest = newestOf(lineage);
  const head = headOf(lineage);
  const line = `${format} ${stamp} ${head?.point.resourceVersion ?? "-"} ${head?.uid ?? "-"}\n${JSON.stringify(lineage.key)}\n`;
  const [text, whole] = [textOf(newest), textOf(lineage)];
  return {
    stamp,
    head: Buffer.concat([Buffer.from(line), packed(text)]),
    trail: text === whole ? undefined : packed(whole),
  };
}

/** What is stored of a lineage where the stored head is of a format that this release knows. Throws where it is not. */
export function decode(head: Buffer, trail: Buffer | null): Lineage {
  return lineageOfText(unpacked(trail ?? bodyOf(head)));
}

/** Two lineages that are the same have the same text. */
export function textOf({ key, floor, lives, notes }: Lineage): string {
  const texts = new Map<string, number>();
  const indexOf = (text: string): number => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, texts.size);
    return known ?? texts.size - 1;
  };
  const packForm = ({ spec, rest }: Form): PackedForm => [indexOf(spec), indexOf(rest)];
  const stored = lives.map(({ uid, points, end }) => ({
    uid,
    points: points.map((point) => ({ ...point, form: packForm(point.form) })),
    end: end && { ...end, form: packForm(end.form) },
  }));
  return JSON.stringify({ version: format, key, floor, lives: stored, notes, texts: [...texts.keys()] });
}

export type Head = { readonly uid: string; readonly resourceVersion: string; readonly key: PolicyKey };

/** Of a policy that is there; undefined where it was deleted. Throws where it cannot be read, as by a newer format. */
export function readHead(head: Buffer): Head | undefined {
  const { uid, resourceVersion } = lineOf(head);
  if (uid === "-") return undefined;
  const [from, to] = [head.indexOf(10) + 1, bodyAt(head)];
  return { uid, resourceVersion, key: keyOfText(head.toString("utf8", from, to - 1)) };
}

/** What a write compares with what is stored. */
export function stampOf(head: Buffer): string {
  return lineOf(head).stamp;
}

function newestOf(lineage: Lineage): Lineage {
  const head = headOf(lineage);
  const lives: readonly Life[] = head === undefined ? [] : [{ uid: head.uid, points: [head.point], end: undefined }];
  return { ...lineage, lives, notes: {} };
}

type PackedForm = readonly [spec: number, rest: number];
type Packed<T> = Omit<T, "form"> & { readonly form: PackedForm };
type StoredLife = {
  readonly uid: string;
  readonly points: readonly Packed<Life["points"][number] & { after?: string; authors: readonly Author[] }>[];
  readonly end?: Packed<NonNullable<Life["end"]>>;
};
type Stored = {
  readonly version: number;
  readonly key: PolicyKey;
  readonly floor: number;
  readonly lives: readonly StoredLife[];
  readonly notes: Readonly<Record<string, Note>>;
  readonly texts: readonly string[];
};

function lineageOfText(text: string): Lineage {
  const { version, key, floor, lives, notes, texts } = JSON.parse(text) as Stored;
  if (version !== format)
    throw new Error(`the history of a policy has format ${version}, which this release does not know`);
  const formOf = ([spec, rest]: PackedForm): Form => ({ spec: texts[spec] ?? "{}", rest: texts[rest] ?? "{}" });
  return {
    key: { ...key, namespace: key.namespace },
    floor,
    notes,
    lives: lives.map(({ uid, points, end }) => ({
      uid,
      points: points.map((point) => ({ ...point, form: formOf(point.form), after: point.after })),
      end: end && { ...end, form: formOf(end.form) },
    })),
  };
}

function lineOf(head: Buffer) {
  const [version, stamp = "", resourceVersion = "-", ...uid] = head.subarray(0, head.indexOf(10)).toString().split(" ");
  if (version !== `${format}`)
    throw new Error(`the history of a policy has format ${version}, which this release does not know`);
  return { stamp, uid: uid.join(" "), resourceVersion };
}

function bodyOf(head: Buffer): Buffer {
  lineOf(head);
  return head.subarray(bodyAt(head));
}

/** After two lines. */
function bodyAt(head: Buffer): number {
  return head.indexOf(10, head.indexOf(10) + 1) + 1;
}

/** Without a namespace it has none, as `undefined` has no JSON form. */
function keyOfText(text: string): PolicyKey {
  const key = JSON.parse(text) as PolicyKey;
  return { ...key, namespace: key.namespace };
}

/** The window reaches over all forms of a policy, and is no larger, as it is made anew each time. */
function packed(text: string): Buffer {
  const window = Math.min(Math.max(Math.ceil(Math.log2(text.length + 1)), 10), 22);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 4,
    [constants.BROTLI_PARAM_LGWIN]: window,
    [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
  };
  return brotliCompressSync(text, { params });
}

function unpacked(bytes: Buffer): string {
  return brotliDecompressSync(bytes).toString();
}
