import ipaddr from "ipaddr.js";
import type { Environment } from "./config.ts";

/**
 * The proxy that a call to this address goes through, by HTTPS_PROXY, HTTP_PROXY and NO_PROXY (in lower case, too) as
 * kubectl reads them; undefined where it goes straight. NO_PROXY lists hosts (`example.com` has its subdomains with it,
 * `.example.com` is those alone), addresses, CIDRs, each perhaps with a port, or `*`. This machine never needs a proxy.
 * Source: the documentation of Go's package golang.org/x/net/http/httpproxy.
 */
export function proxyFor(address: string, env: Environment): string | undefined {
  const url = URL.parse(address);
  if (url === null) return undefined;
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const proxy = secure ? given(env, "HTTPS_PROXY") : given(env, "HTTP_PROXY");
  return proxy === undefined || isExempt(url, secure, given(env, "NO_PROXY") ?? "") ? undefined : proxy;
}

function given(env: Environment, name: string): string | undefined {
  return env[name] || env[name.toLowerCase()] || undefined;
}

function isExempt(url: URL, secure: boolean, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const port = url.port === "" ? (secure ? "443" : "80") : url.port;
  const entries = noProxy.split(/[\s,]+/).filter((entry) => entry !== "");
  return isThisMachine(host) || entries.some((entry) => covers(entry.toLowerCase(), host, port));
}

function isThisMachine(host: string): boolean {
  return host === "localhost" || (ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback");
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (ipaddr.isValidCIDR(entry)) return isWithin(host, entry);
  const [, name = entry, ofPort] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  if (ofPort !== undefined && ofPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, "").replace(/^\*\./, ".");
  return bare === host || host.endsWith(bare.startsWith(".") ? bare : `.${bare}`);
}

function isWithin(host: string, cidr: string): boolean {
  if (!ipaddr.isValid(host)) return false;
  const [address, [network, bits]] = [ipaddr.process(host), ipaddr.parseCIDR(cidr)];
  return address.kind() === network.kind() && address.match(network, bits);
}
