/** A file that was shared with a message. */
export type SandboxFile = {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  /** Undefined where none was given: screen readers then have the title alone. */
  readonly alt: string | undefined;
  readonly bytes: Buffer;
};

/** The file as the API and messages show it. */
export function wireFile({ id, name, title, alt, bytes }: SandboxFile): Readonly<Record<string, unknown>> {
  return { id, name, title, size: bytes.length, ...(alt === undefined ? {} : { alt_txt: alt }) };
}
