import type { Environment } from "./config.ts";

/** Text of a file; undefined where it cannot be read. */
type Read = (path: string) => string | undefined;

/** A secret by its name, or from the file that NAME_FILE names; a file that cannot be read is a problem. */
export function readSecret(env: Environment, name: string, read: Read, problems: string[]): string | undefined {
  const path = env[`${name}_FILE`];
  if (path === undefined || path === "") return env[name] === "" ? undefined : env[name];
  const content = read(path)?.trim();
  if (content !== undefined && content !== "") return content;
  problems.push(`${name}_FILE: ${path} cannot be read or is empty`);
  return undefined;
}

/** A secret that the bot cannot do without: what it is, and what it looks like. */
export type NeededSecret = {
  readonly name: string;
  readonly value: string | undefined;
  readonly what: string;
  /** What is wrong with a value that does not match is said as `what`. */
  readonly form: RegExp;
};

/** What is missing or is something else than it should be. Where a NAME_FILE could not be read, that was said already. */
export function secretProblems(secrets: readonly NeededSecret[], env: Environment): readonly string[] {
  return secrets.flatMap(({ name, value, what, form }) => {
    if (value !== undefined) return form.test(value) ? [] : [`${name}: is not ${what}`];
    return env[`${name}_FILE`]
      ? []
      : [`${name}: is not set; expected ${what}, here or in the file that ${name}_FILE names`];
  });
}

/** A bearer token that others present; one that is easily guessed is refused. */
const tokenForm = /^[\w.~+/=-]{16,}$/;

/** What is wrong with tokens, each under its name; one that is not set is not. */
export function tokenProblems(tokens: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(tokens).flatMap(([name, token]) =>
    token === undefined || tokenForm.test(token)
      ? []
      : [`${name}: is no token of at least 16 letters, digits and -._~+/=`],
  );
}

/** Settings of the environment that would otherwise show only when something fails. */
export function environmentProblems(env: Environment, read: Read): readonly string[] {
  const given = (name: string): string => env[name] ?? "";
  const notUrl = ["SLACK_API_URL", ...proxyVariables].filter((name) => given(name) !== "" && !isHttp(given(name)));
  const ca = given("NODE_EXTRA_CA_CERTS");
  const noCa = ca !== "" && !read(ca)?.includes("-----BEGIN CERTIFICATE-----");
  return [
    ...notUrl.map((name) => `${name}: is no address such as http://host:port`),
    ...(noCa ? [`NODE_EXTRA_CA_CERTS: ${ca} cannot be read or holds no PEM certificate`] : []),
  ];
}

const proxyVariables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

function isHttp(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

/**
 * The line without what must not be shown: the secrets themselves, the password in one that is an address, whatever looks like a Slack token, and the user
 * information of an address. A problem may quote what somebody wrote in the wrong place.
 */
export function withoutSecrets(line: string, secrets: readonly (string | undefined)[]): string {
  const passwords = secrets.map((secret) => URL.parse(secret ?? "")?.password);
  const known = [...secrets, ...passwords].filter((secret) => secret !== undefined && secret.length >= 4);
  const bare = known.reduce((text: string, secret) => text.replaceAll(secret ?? "", "…"), line);
  return bare.replaceAll(/\b(xox[a-z]|xapp|xwfp)-[\w.-]+/g, "$1-…").replaceAll(/\/\/[^/@\s[\]]*@/g, "//…@");
}
