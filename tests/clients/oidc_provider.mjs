// An OpenID Connect provider of others (npm `oidc-provider`) on a free port of this machine, whose accounts need no password.
//
// node oidc_provider.mjs CALLBACK: registers two clients with that address, and prints its issuer once it listens. Whoever asks
// for `/as/NAME` is signed in as NAME from then on, in the browser that asked.
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [callback] = process.argv.slice(2);
const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;

const key = (kind, options, alg) => ({ ...generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }), kid: alg, use: "sig", alg });
const keys = [key("rsa", { modulusLength: 2048 }, "RS256"), key("ec", { namedCurve: "P-256" }, "ES256")];
const common = { redirect_uris: [callback], response_types: ["code"], grant_types: ["authorization_code"] };
const provider = new Provider(issuer, {
  clients: [
    { ...common, client_id: "remit", client_secret: "s: %&+hush", token_endpoint_auth_method: "client_secret_basic" },
    { ...common, client_id: "public", token_endpoint_auth_method: "none", id_token_signed_response_alg: "ES256" },
  ],
  jwks: { keys },
  cookies: { keys: ["a key of this test"] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
});
provider.on("server_error", (_, error) => console.error(error));

let who = "anna";
async function interact(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (who === "nobody") {
    return provider.interactionFinished(request, response, { error: "access_denied", error_description: "<b>not today</b>" });
  }
  if (prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId: who } });
  }
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope("openid");
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

const answer = provider.callback();
server.on("request", (request, response) => {
  const path = new URL(request.url, issuer).pathname;
  if (path.startsWith("/as/")) {
    who = path.slice("/as/".length);
    response.end(who);
  } else if (path.startsWith("/interaction/")) {
    interact(request, response).catch((error) => response.writeHead(500).end(String(error)));
  } else {
    answer(request, response);
  }
});
console.log(issuer);
