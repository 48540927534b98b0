import { readFile } from "node:fs/promises";
import { FlowTrouble } from "./flow-trouble.ts";

/** Paths of PEM files, and the name that the server's certificate must bear where that is not its address. */
export type FlowTls = {
  /** Undefined: the authorities that Node trusts. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly serverName?: string | undefined;
};

export type TlsMaterial = {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
};

/** What the files hold now: they are renewed on disk, so every connection reads them again. Throws a FlowTrouble. */
export async function readTls({ caFile, certFile, keyFile }: FlowTls): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map(readMaterial));
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

/** The text of a secret's file, without the white space around it. Throws a FlowTrouble. */
export async function readSecret(path: string): Promise<string> {
  const content = await readMaterial(path);
  return content?.toString("utf8").trim() ?? "";
}

async function readMaterial(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new FlowTrouble(`${path} cannot be read (${error.code ?? "no reason given"})`);
  });
}
