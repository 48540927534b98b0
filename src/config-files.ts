/** What a section of the configuration may name, to reach somebody by: read again at every connection, and looked at once at start. */
type NamedFiles = {
  readonly tokenFile?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tls?:
    | {
        readonly caFile?: string | undefined;
        readonly certFile?: string | undefined;
        readonly keyFile?: string | undefined;
      }
    | undefined;
};

/** Text of a file; undefined where it cannot be read. */
export type ReadFile = (path: string) => string | undefined;

/** Which of them cannot be read, or hold something else; with the place in the document, such as `flows.sources.0`. */
export function namedFileProblems(place: string, named: NamedFiles, read: ReadFile): readonly string[] {
  const { caFile, certFile, keyFile } = named.tls ?? {};
  const files = [
    { name: "tls.caFile", path: caFile, form: /-----BEGIN CERTIFICATE-----/, what: "holds no PEM certificate" },
    { name: "tls.certFile", path: certFile, form: /-----BEGIN CERTIFICATE-----/, what: "holds no PEM certificate" },
    { name: "tls.keyFile", path: keyFile, form: /-----BEGIN [A-Z ]*PRIVATE KEY-----/, what: "holds no PEM key" },
    { name: "tokenFile", path: named.tokenFile, form: /\S/, what: "is empty" },
    { name: "passwordFile", path: named.passwordFile, form: /\S/, what: "is empty" },
  ];
  return files.flatMap(({ name, path, form, what }) =>
    path === undefined || form.test(read(path) ?? "") ? [] : [`${place}.${name}: ${path} cannot be read or ${what}`],
  );
}
