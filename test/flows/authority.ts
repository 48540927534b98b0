import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate and its key, as PEM. */
export type Issued = { readonly cert: string; readonly key: string };

/** A certificate authority of the tests' own: nothing on the machine trusts it, and its keys are gone with the process. */
export type Authority = {
  /** Its own certificate, as PEM. */
  readonly ca: string;
  /** For a DNS name and for 127.0.0.1; days from now, negative ones are past. */
  issue(name: string, days?: { readonly from?: number; readonly to?: number }): Issued;
};

/** X.509 v3 by hand (RFC 5280), with ECDSA on P-256: Node reads certificates, and makes none. */
export function createAuthority(name: string): Authority {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = { name, key: pair.privateKey };
  const ca = certificateOf({ name, key: pair.publicKey, from: -2, to: 3_650, extensions: [isAuthority] }, signer);
  return {
    ca,
    issue(subject, { from = -1, to = 365 } = {}) {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const cert = certificateOf({ name: subject, key: publicKey, from, to, extensions: [namesOf(subject)] }, signer);
      return { cert, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
    },
  };
}

type Subject = {
  readonly name: string;
  readonly key: KeyObject;
  readonly from: number;
  readonly to: number;
  readonly extensions: readonly Buffer[];
};

function certificateOf({ name, key, from, to, extensions }: Subject, by: { name: string; key: KeyObject }): string {
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    nameOf(by.name),
    sequence(timeOf(from), timeOf(to)),
    nameOf(name),
    key.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions)),
  );
  const der = sequence(body, ecdsaWithSha256, tagged(0x03, Buffer.from([0]), sign("sha256", body, by.key)));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, "hex"));
}

/** 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));

/** 2.5.29.19, critical: it is an authority. */
const isAuthority = sequence(
  oid("551d13"),
  tagged(0x01, Buffer.from([0xff])),
  tagged(0x04, sequence(tagged(0x01, Buffer.from([0xff])))),
);

/** 2.5.29.17. */
function namesOf(name: string): Buffer {
  const names = sequence(tagged(0x82, Buffer.from(name)), tagged(0x87, Buffer.from([127, 0, 0, 1])));
  return sequence(oid("551d11"), tagged(0x04, names));
}

function nameOf(name: string): Buffer {
  return sequence(tagged(0x31, sequence(oid("550403"), tagged(0x0c, Buffer.from(name)))));
}

/** GeneralizedTime. */
function timeOf(days: number): Buffer {
  const text = new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return tagged(0x18, Buffer.from(text));
}
