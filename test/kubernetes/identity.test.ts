import { expect, test } from "vitest";
import { whoIs } from "../../src/kubernetes/identity.ts";
import { json, startScriptedApi, status } from "./scripted-api.ts";

/** Self-signed, subject `O=oncall, CN=jane`, valid until 2126. No key of it is kept. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBlzCCAT2gAwIBAgIUTRZnLW+OQ+lhYiuCh4iKhELwW4MwCgYIKoZIzj0EAwIw
IDEPMA0GA1UECgwGb25jYWxsMQ0wCwYDVQQDDARqYW5lMCAXDTI2MTEyMTA0MzAy
NFoYDzIxMjYxMDI4MDQzMDI0WjAgMQ8wDQYDVQQKDAZvbmNhbGwxDTALBgNVBAMM
BGphbmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASsmJeBnM3BQmTmpIIR0d+K
v3G3tydo/PuG3uLi0eZmIyfIjuoqN428xH1LDMWamW2Mn3Y0nwa42LIG7WWTPieY
o1MwUTAdBgNVHQ4EFgQUqs1CAYmFB/bjz3tacq0Uq5VeXzkwHwYDVR0jBBgwFoAU
qs1CAYmFB/bjz3tacq0Uq5VeXzkwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNIADBFAiB0M3vURj62PqqCsw2auy/93PYQ+Lai9C4nCYlwd8g5ngIhALH7WkaG
hPSRvWYPhYwHhvdskHAIm0LARFDpxTHlhfdz
-----END CERTIFICATE-----
`;
const certified = { "client-certificate-data": Buffer.from(certificate).toString("base64") };

/** Serves the review in one version, and the access review to whoever asks or to nobody. */
async function startReviews(version: string | undefined, mayAsk = true) {
  return await startScriptedApi(({ path }, response) => {
    if (path === `/apis/authentication.k8s.io/${version}/selfsubjectreviews`) {
      return json(response, { status: { userInfo: { username: "oidc:jane" } } }, 201);
    }
    if (path.endsWith("/selfsubjectaccessreviews") && mayAsk)
      return json(response, { status: { allowed: false } }, 201);
    if (path.endsWith("/selfsubjectaccessreviews")) return status(response, 403, "Forbidden");
    return void response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found");
  });
}

test.each(["v1", "v1beta1", "v1alpha1"])("The API server says who it is (%s)", async (version) => {
  await using api = await startReviews(version);
  expect(await whoIs(api.connect(), "configured")).toEqual({ user: "oidc:jane", source: "self-subject-review" });
});

test("Where the server cannot say, the certificate's common name does", async () => {
  await using api = await startReviews(undefined);
  const identity = await whoIs(api.connect({ user: certified }), "configured");
  expect(identity).toEqual({ user: "jane", source: "client-certificate" });
});

test("A certificate does not count beside a token, beside impersonation, or for an anonymous caller", async () => {
  await using api = await startReviews(undefined);
  for (const more of [{ token: "t" }, { as: "root" }]) {
    expect((await whoIs(api.connect({ user: { ...certified, ...more } }))).source).toBe("unknown");
  }
  await using closed = await startReviews(undefined, false);
  expect((await whoIs(closed.connect({ user: certified }))).source).toBe("unknown");
});

test("Else it is the configured name, else nobody", async () => {
  await using api = await startReviews(undefined);
  const connection = api.connect();
  expect(await whoIs(connection, "jane")).toEqual({ user: "jane", source: "configured" });
  expect(await whoIs(connection)).toEqual({ user: undefined, source: "unknown" });
});

test("A server that refuses the credentials leaves no identity", async () => {
  await using api = await startScriptedApi((_seen, response) => status(response, 401, "Unauthorized"));
  await expect(whoIs(api.connect(), "jane")).rejects.toMatchObject({ kind: "unauthorized" });
});
