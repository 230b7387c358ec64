// Drives an OAuth client of others through steps, one JSON line of output for each.
//
//   node ts_oauth.mjs oauth4webapi|openid-client
//
//   {"discover": ISSUER}                                       -> {"metadata": {...}}
//   {"client": ID, "jwk": PRIVATE, "dpop": PRIVATE}            -> {"client": ID}; with "jwk" it signs assertions
//   {"authorize": {parameters}, "par": BOOL}                   -> {"authorize": URL}
//   {"callback": URL, "parameters": {...}}                     -> {"tokens": {...}}
//   {"grant": TYPE, "parameters": {...}}                       -> {"tokens": {...}}
//   {"refresh": TOKEN, "parameters": {...}}                    -> {"tokens": {...}}
//   {"introspect": TOKEN} · {"revoke": TOKEN}                  -> {"introspection": {...}} | {"revoked": true}
//   {"resource": URL, "token": T, "body": {...}, "headers": {...}} -> {"status", "body", "challenge"}
//   {"validate": TOKEN, "audience": AUDIENCE, "url": URL}      -> {"claims": {...}}; oauth4webapi only
//
// What the server refuses is {"error": CODE, "status": N}, and what the client itself finds wrong {"broken": message}.

import { webcrypto } from 'node:crypto';
import { createInterface } from 'node:readline';

import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

const ES256 = { name: 'ECDSA', namedCurve: 'P-256' };
const insecure = { [oauth.allowInsecureRequests]: true };

async function pair(jwk) {
  const { d, ...open } = jwk;
  return {
    privateKey: await webcrypto.subtle.importKey('jwk', jwk, ES256, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('jwk', open, ES256, true, ['verify']),
  };
}

// What both libraries are asked to remember between two steps.
class Kept {
  async begin({ client, jwk, dpop }) {
    this.id = client;
    this.keys = jwk && (await pair(jwk));
    this.proof = dpop && (await pair(dpop));
    await this.configure();
    return { client };
  }

  async question(parameters) {
    [this.verifier, this.state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
    this.redirect = parameters.redirect_uri;
    const challenge = await oauth.calculatePKCECodeChallenge(this.verifier);
    return { response_type: 'code', code_challenge: challenge, code_challenge_method: 'S256', state: this.state, ...parameters };
  }
}

class OAuth4WebApi extends Kept {
  async discover(issuer) {
    const answer = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...insecure });
    this.server = await oauth.processDiscoveryResponse(new URL(issuer), answer);
    return this.server;
  }

  configure() {
    this.client = { client_id: this.id };
    this.auth = this.keys ? oauth.PrivateKeyJwt(this.keys.privateKey) : oauth.None();
    this.options = { ...insecure, ...(this.proof && { DPoP: oauth.DPoP(this.client, this.proof) }) };
  }

  // A server may ask for a nonce once; the library then has it and the request is repeated.
  async asked(request, process) {
    try {
      return await process(await request());
    } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error;
      return process(await request());
    }
  }

  async authorize(parameters, par) {
    const asked = await this.question({ client_id: this.id, ...parameters });
    const url = new URL(this.server.authorization_endpoint);
    if (par) {
      const request = () => oauth.pushedAuthorizationRequest(this.server, this.client, this.auth, asked, this.options);
      const process = (answer) => oauth.processPushedAuthorizationResponse(this.server, this.client, answer);
      const { request_uri } = await this.asked(request, process);
      url.search = new URLSearchParams({ client_id: this.id, request_uri });
    } else {
      url.search = new URLSearchParams(asked);
    }
    return String(url);
  }

  callback(callback, additionalParameters) {
    const parameters = oauth.validateAuthResponse(this.server, this.client, new URL(callback), this.state);
    const options = { ...this.options, additionalParameters };
    const request = () =>
      oauth.authorizationCodeGrantRequest(this.server, this.client, this.auth, parameters, this.redirect, this.verifier, options);
    return this.asked(request, (answer) => oauth.processAuthorizationCodeResponse(this.server, this.client, answer));
  }

  grant(type, parameters) {
    if (type === 'client_credentials') {
      const request = () => oauth.clientCredentialsGrantRequest(this.server, this.client, this.auth, parameters, this.options);
      return this.asked(request, (answer) => oauth.processClientCredentialsResponse(this.server, this.client, answer));
    }
    const request = () =>
      oauth.genericTokenEndpointRequest(this.server, this.client, this.auth, type, parameters, this.options);
    return this.asked(request, (answer) => oauth.processGenericTokenEndpointResponse(this.server, this.client, answer));
  }

  refresh(token, additionalParameters) {
    const options = { ...this.options, additionalParameters };
    const request = () => oauth.refreshTokenGrantRequest(this.server, this.client, this.auth, token, options);
    return this.asked(request, (answer) => oauth.processRefreshTokenResponse(this.server, this.client, answer));
  }

  async introspect(token) {
    const answer = await oauth.introspectionRequest(this.server, this.client, this.auth, token, insecure);
    return oauth.processIntrospectionResponse(this.server, this.client, answer);
  }

  async revoke(token) {
    await oauth.processRevocationResponse(await oauth.revocationRequest(this.server, this.client, this.auth, token, insecure));
  }

  async resource(url, token, body, headers) {
    const request = () =>
      oauth.protectedResourceRequest(token, 'POST', new URL(url), new Headers(headers), JSON.stringify(body), this.options);
    try {
      return await request();
    } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error;
      return request();
    }
  }

  // As a resource server of others would look at a token (RFC 9068).
  async validate(token, audience, url) {
    const headers = { authorization: `${this.proof ? 'DPoP' : 'Bearer'} ${token}` };
    if (this.proof) headers.dpop = await oauthProof(this.proof, token, url);
    const request = new Request(url, { method: 'POST', headers });
    return oauth.validateJwtAccessToken(this.server, request, audience, insecure);
  }
}

// A proof for one request, made without the library's client.
async function oauthProof({ privateKey, publicKey }, token, htu) {
  const { kty, crv, x, y } = await webcrypto.subtle.exportKey('jwk', publicKey);
  const ath = Buffer.from(await webcrypto.subtle.digest('SHA-256', Buffer.from(token))).toString('base64url');
  const claims = { jti: webcrypto.randomUUID(), htm: 'POST', htu, iat: Math.floor(Date.now() / 1000), ath };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } })}.${part(claims)}`;
  const signature = await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

class OpenIdClient extends Kept {
  discover(issuer) {
    this.issuer = issuer;
    return this.find('nobody');
  }

  async find(id, auth) {
    const options = { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] };
    this.config = await openid.discovery(new URL(this.issuer), id, undefined, auth, options);
    return this.config.serverMetadata();
  }

  async configure() {
    await this.find(this.id, this.keys ? openid.PrivateKeyJwt(this.keys.privateKey) : openid.None());
    this.options = this.proof ? { DPoP: openid.getDPoPHandle(this.config, this.proof) } : {};
  }

  async authorize(parameters, par) {
    const asked = await this.question(parameters);
    if (par) return String(await openid.buildAuthorizationUrlWithPAR(this.config, asked, this.options));
    return String(openid.buildAuthorizationUrl(this.config, asked));
  }

  callback(callback, parameters) {
    const checks = { pkceCodeVerifier: this.verifier, expectedState: this.state };
    return openid.authorizationCodeGrant(this.config, new URL(callback), checks, parameters, this.options);
  }

  grant(type, parameters) {
    if (type === 'client_credentials') return openid.clientCredentialsGrant(this.config, parameters, this.options);
    return openid.genericGrantRequest(this.config, type, parameters, this.options);
  }

  refresh(token, parameters) {
    return openid.refreshTokenGrant(this.config, token, parameters, this.options);
  }

  introspect(token) {
    return openid.tokenIntrospection(this.config, token);
  }

  revoke(token) {
    return openid.tokenRevocation(this.config, token);
  }

  resource(url, token, body, headers) {
    const request = [this.config, token, new URL(url), 'POST', JSON.stringify(body), new Headers(headers)];
    return openid.fetchProtectedResource(...request, this.options);
  }
}

async function perform(client, step) {
  const parameters = step.parameters ?? {};
  if ('discover' in step) return { metadata: await client.discover(step.discover) };
  if ('client' in step) return client.begin(step);
  if ('authorize' in step) return { authorize: await client.authorize(step.authorize, step.par) };
  if ('callback' in step) return { tokens: await client.callback(step.callback, parameters) };
  if ('grant' in step) return { tokens: await client.grant(step.grant, parameters) };
  if ('refresh' in step) return { tokens: await client.refresh(step.refresh, parameters) };
  if ('introspect' in step) return { introspection: await client.introspect(step.introspect) };
  if ('revoke' in step) return client.revoke(step.revoke).then(() => ({ revoked: true }));
  if ('validate' in step) return { claims: await client.validate(step.validate, step.audience, step.url) };
  if ('resource' in step) {
    const answer = await client.resource(step.resource, step.token, step.body, step.headers ?? {});
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null, challenge: answer.headers.get('www-authenticate') };
  }
  throw new Error(`${JSON.stringify(step)} is not a step`);
}

// Both libraries have classes of the same names for what a server refuses.
function described(error) {
  if (typeof error.error === 'string') return { error: error.error, description: error.error_description, status: error.status ?? null };
  const challenge = Array.isArray(error.cause) ? error.cause[0] : undefined;
  if (challenge?.parameters) return { error: challenge.parameters.error ?? 'none', challenge, status: error.status ?? null };
  return { broken: `${error.name} ${error.code ?? ''}: ${error.message}`, cause: String(error.cause?.message ?? error.cause ?? '') };
}

const libraries = { oauth4webapi: OAuth4WebApi, 'openid-client': OpenIdClient };
const client = new libraries[process.argv[2]]();
for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = await perform(client, JSON.parse(line));
  } catch (error) {
    said = described(error);
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
