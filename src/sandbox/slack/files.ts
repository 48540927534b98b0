import { randomUUID } from "node:crypto";
import { z } from "zod";
import { writable } from "./directory.ts";
import { type Answer, type Arguments, type Method, refuse, stringOf } from "./method.ts";
import { app } from "./people.ts";
import { contentOf } from "./response-url.ts";
import { type SandboxFile, wireFile } from "./shared-file.ts";
import type { Workspace } from "./workspace.ts";

/** Uploads in three steps: ask for an address, send the bytes there, share (docs: files.completeUploadExternal). */
export type Files = {
  readonly methods: readonly (readonly [string, Method])[];
  /** The bytes, at the address that was given out. */
  receive(path: string, bytes: Buffer): { readonly status: number; readonly body: string };
};

/** An upload that was asked for; `bytes` once they came. */
type Upload = {
  readonly id: string;
  readonly name: string;
  readonly alt: string | undefined;
  readonly length: number;
  readonly bytes: Buffer | undefined;
};

const path = "/upload/v1/";
/** Slack's: `alt_txt_too_large`. */
const longestAlt = 1_000;

/** `origin` as in `http://127.0.0.1:1234`. */
export function createFiles(workspace: Workspace, origin: () => string): Files {
  const uploads = new Map<string, Upload>();
  let count = 0;

  function ask(args: Arguments): Answer {
    const asked = askedFor(args);
    if ("ok" in asked) return asked;
    count += 1;
    const id = `F0${String(count).padStart(6, "0")}`;
    const ticket = randomUUID();
    uploads.set(ticket, { ...asked, id, bytes: undefined });
    return { ok: true, upload_url: `${origin()}${path}${ticket}`, file_id: id };
  }

  function complete(args: Arguments): Answer {
    const wanted = wantedFiles(args.get("files"));
    if (wanted === undefined) return refuse("invalid_arguments");
    const found = [...uploads].filter(([, { id }]) => wanted.has(id));
    const files = found.flatMap(([, upload]) => shared(upload, wanted.get(upload.id)));
    if (files.length < wanted.size) return refuse("file_not_found");
    const refused = share(workspace, args, files);
    if (refused !== undefined) return refused;
    for (const [ticket] of found) uploads.delete(ticket);
    return { ok: true, files: files.map(wireFile) };
  }

  return {
    methods: [
      ["files.getUploadURLExternal", ask],
      ["files.completeUploadExternal", complete],
    ],
    receive(url, bytes) {
      const ticket = url.slice(path.length);
      const upload = uploads.get(ticket);
      if (!url.startsWith(path) || upload === undefined) return { status: 404, body: "not found" };
      if (bytes.length !== upload.length) return { status: 400, body: "length mismatch" };
      uploads.set(ticket, { ...upload, bytes });
      return { status: 200, body: `OK - ${bytes.length}` };
    },
  };
}

/** `alt_txt` is the argument's name, whatever the SDK calls it; others are ignored, as Slack ignores them. */
function askedFor(args: Arguments): Omit<Upload, "id" | "bytes"> | Answer {
  const name = stringOf(args, "filename");
  const length = Number(args.get("length") ?? 0);
  const alt = stringOf(args, "alt_txt");
  if (name === undefined || !Number.isSafeInteger(length) || length <= 0) return refuse("missing_argument");
  return alt !== undefined && alt.length > longestAlt ? refuse("alt_txt_too_large") : { name, length, alt };
}

/** Titles by id; undefined where that is no list of files. */
function wantedFiles(value: unknown): ReadonlyMap<string, string | undefined> | undefined {
  const parsed = wanted.safeParse(value);
  return parsed.success ? new Map(parsed.data.map(({ id, title }) => [id, title])) : undefined;
}

const wanted = z.array(z.object({ id: z.string(), title: z.string().optional() })).min(1);

/** Posts them as a message; why not, where it may not. `blocks` count only without `initial_comment`. */
function share(workspace: Workspace, args: Arguments, files: readonly SandboxFile[]): Answer | undefined {
  const channel = writable(workspace, new Map([["channel", args.get("channel_id")]]));
  if ("ok" in channel) return channel;
  const comment = stringOf(args, "initial_comment");
  const content = contentOf(comment ?? "", comment === undefined ? args.get("blocks") : undefined);
  if ("error" in content && content.error !== "no_text") return refuse(content.error, content.errors);
  workspace.post({
    ...("error" in content ? { text: "", blocks: [] } : content),
    channel: channel.id,
    author: app.botUser,
    ephemeralTo: undefined,
    threadTs: stringOf(args, "thread_ts"),
    files,
  });
  return undefined;
}

function shared({ id, name, alt, bytes }: Upload, title: string | undefined): readonly SandboxFile[] {
  return bytes === undefined ? [] : [{ id, name, title: title ?? name, alt, bytes }];
}
