import { status } from "@grpc/grpc-js";

/** Why a source fails, in words for people: nothing secret in it, nothing that a server wrote unbounded. */
export class FlowTrouble extends Error {
  /** How long the server asked not to be asked, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(words: string, retryAfterMs?: number) {
    super(words);
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a failure of a connection means, and what to do. `expected` is what should have answered, e.g. `Hubble relay`. */
export function wordsOf(error: unknown, expected: string): string {
  if (error instanceof FlowTrouble) return error.message;
  const text = textOf(error);
  const known = causes.find(([pattern]) => pattern.test(text));
  if (known !== undefined) return known[1];
  const { code } = Object(error) as { readonly code?: unknown };
  const byStatus = typeof code === "number" ? statuses[code]?.replaceAll("EXPECTED", expected) : undefined;
  return byStatus ?? `the connection failed: ${printable(text, 160)}`;
}

/** Text from outside as it may stand in a message: one line of printable ASCII, cut to `most` characters. */
export function printable(text: string, most: number): string {
  const line = text.replaceAll(/[^\x20-\x7e]+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** OpenSSL's and Node's own words, which stand somewhere in what gRPC and undici tell; the first that fits counts. */
const causes: readonly (readonly [RegExp, string])[] = [
  [/certificate has expired|CERT_HAS_EXPIRED/i, "the server's certificate has expired: have it renewed"],
  [/certificate is not yet valid|CERT_NOT_YET_VALID/i, "the server's certificate is not valid yet: compare the clocks"],
  [
    /ALTNAME_INVALID|does not match certificate's altnames/i,
    "the server's certificate is for another name: set tls.serverName",
  ],
  [
    /alert certificate required|CERTIFICATE_REQUIRED/i,
    "the server asks for a client certificate: set tls.certFile and tls.keyFile",
  ],
  [/alert certificate expired/i, "the server refuses this client's certificate, which has expired: renew tls.certFile"],
  [
    /alert (unknown ca|bad certificate|certificate unknown)/i,
    "the server does not trust this client's certificate: have its authority issue tls.certFile",
  ],
  [
    /self[- ]signed|unable to (verify|get)|UNABLE_TO_(VERIFY|GET)|DEPTH_ZERO/i,
    "the server's certificate is of an unknown authority: check tls.caFile",
  ],
  [/key values mismatch/i, "tls.keyFile is not the key of tls.certFile"],
  [/no start line|bad end line|PEM routines|asn1 encoding/i, "a file of tls holds no PEM that can be read"],
  [
    /wrong version number|packet length too long|http request/i,
    "the server speaks no TLS here: leave out tls, or take its TLS port",
  ],
  [/ECONNREFUSED/, "the connection was refused: check the address, the port, and that it runs"],
  [/ENOTFOUND|EAI_AGAIN|Name resolution failed/i, "the name of its address is not known to DNS"],
  [/EHOSTUNREACH|ENETUNREACH/, "there is no way to its address"],
  [
    /ETIMEDOUT|ConnectTimeoutError|UND_ERR_CONNECT_TIMEOUT|UND_ERR_HEADERS_TIMEOUT/i,
    "it does not answer: check the address, and that no policy denies the way",
  ],
];

/** By gRPC's status, where no cause is told. */
const statuses: Readonly<Record<number, string>> = {
  [status.UNIMPLEMENTED]: "what answers there is no EXPECTED: check the address and the port",
  [status.UNAUTHENTICATED]: "the server does not know this client: check its certificate",
  [status.PERMISSION_DENIED]: "the server refuses this client",
  [status.DEADLINE_EXCEEDED]: "it does not answer: check the address, and that no policy denies the way",
  [status.RESOURCE_EXHAUSTED]: "the server has no room for this client now",
  [status.UNAVAILABLE]:
    "the connection was lost, as it is where the server wants TLS or does not trust the client's certificate",
  [status.INTERNAL]: "the connection broke, or what answers there is no EXPECTED",
  [status.CANCELLED]: "the server ended the stream",
};

/** Of an error and of what caused it: a few levels, since causes may be circular. */
function textOf(error: unknown, levels = 4): string {
  const { code, message, details, cause } = Object(error);
  const own = [code, message, details].filter((part) => typeof part === "string").join(" ");
  return cause === undefined || levels === 0 ? own : `${own} ${textOf(cause, levels - 1)}`;
}
