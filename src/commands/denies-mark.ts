import { manifestResource } from "../kubernetes/manifest-resources.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { Labels } from "../policy/objects.ts";
import { isShared } from "./deny-objects.ts";

/**
 * The annotation that names these objects on the NetworkPolicy, so that they are found without the operation's record:
 * those that are to be deleted with it, and so not what several operations share.
 */
export function deniesMark(objects: readonly Manifest[]): Labels {
  const own = objects.filter((object) => !isShared(object));
  if (own.length === 0) return {};
  const names = own.map((object) => {
    const { group, plural } = manifestResource(object);
    return `${plural}.${group}/${object.metadata.name}`;
  });
  return { [marks.denies]: names.join(" ") };
}

/** What it names, as kubectl takes it: only what a shell gives no meaning to. Undefined where there is anything else. */
export function namedDenies(text: string | undefined): readonly string[] | undefined {
  const names = (text ?? "").split(" ").filter((name) => name !== "");
  return names.every((name) => /^[a-z][a-z0-9.]*\/[a-z0-9][-a-z0-9.]*$/.test(name)) ? names : undefined;
}
