// An OpenID Connect provider for the tests: a real one, which believes everybody who they are.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import Oidc from "oidc-provider";

export const NAME = "Example ID";
const CLIENT = "bugle";

/** Whoever signs in is the address that they typed. */
const findAccount = (_, address) => ({ accountId: address, claims: () => ({ sub: address, email: address, email_verified: true, name: `${address.split("@")[0]} of ${NAME}` }) });

/** What a provider is set to: one client, the Bugle at this address. */
function configuration(url, secret) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    clients: [{ client_id: CLIENT, client_secret: secret, redirect_uris: [`${url}/api/v1/session/oidc/callback`], grant_types: ["authorization_code"], response_types: ["code"] }],
    claims: { email: ["email", "email_verified"], profile: ["name"] },
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" }] },
    cookies: { keys: [randomUUID()] },
    features: { devInteractions: { enabled: true } },
    // Bugle sends a proof of possession for each code (RFC 7636); without one it is not let in.
    pkce: { required: () => true },
    findAccount,
    // As long as the walk; each of them has a default that says so on the console.
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 3600, Session: 3600 },
  };
}

/** Starts one for the Bugle at `url`; `settings` are Bugle's. */
export async function provider(url) {
  const server = http.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // By its name it is another site than Bugle, as providers are: cookies that are kept to one site show.
  const issuer = `http://localhost:${server.address().port}`;
  const secret = randomUUID();
  server.on("request", new Oidc(issuer, configuration(url, secret)).callback());
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { settings: { BUGLE_OIDC_ISSUER: issuer, BUGLE_OIDC_CLIENT_ID: CLIENT, BUGLE_OIDC_CLIENT_SECRET: secret, BUGLE_OIDC_NAME: NAME }, close };
}

/** From Bugle's sign-in page to the provider. */
export async function goThere(page) {
  // A font of its pages lies on a foreign host, and the tests reach none.
  await page.context().route("https://fonts.googleapis.com/**", (route) => route.fulfill({ contentType: "text/css", body: "" }));
  await page.getByRole("link", { name: `Sign in with ${NAME}` }).click();
}

/** Says there who it is, and agrees. */
export async function signInThere(page, address) {
  await goThere(page);
  await page.getByPlaceholder("Enter any login").fill(address);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}
