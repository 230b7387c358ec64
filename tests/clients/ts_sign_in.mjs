// How the official TypeScript clients sign their person in. Same lines as py_sign_in.py.

import { randomUUID } from 'node:crypto';

// What the client keeps: nothing longer than it runs.
export class SignIn {
  constructor(given, emit, next) {
    this.redirectUrl = given['sign-in'];
    this.clientMetadataUrl = given['client-metadata'];
    this.emit = emit;
    this.next = next;
    this.kept = {};
  }

  get clientMetadata() {
    return {
      client_name: 'remit-tests-typescript',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  state = () => (this.kept.state = randomUUID());
  clientInformation = () => this.kept.client;
  saveClientInformation = (client) => void (this.kept.client = client);
  tokens = () => this.kept.tokens;
  saveTokens = (tokens) => void (this.kept.tokens = tokens);
  saveCodeVerifier = (verifier) => void (this.kept.verifier = verifier);
  codeVerifier = () => this.kept.verifier;
  saveDiscoveryState = (discovery) => void (this.kept.discovery = discovery);
  discoveryState = () => this.kept.discovery;
  redirectToAuthorization = (url) => this.emit({ authorize: String(url) });

  // Where the person's browser was sent back to, as the transport wants to be told.
  async finish(carrier) {
    const { callback } = await this.next();
    const answer = new URL(callback).searchParams;
    if (answer.has('error')) throw new Error(`${answer.get('error')}: ${answer.get('error_description')}`);
    if (answer.get('state') !== this.kept.state) throw new Error('the answer is to another question');
    await carrier.finishAuth(answer.get('code'), answer.get('iss') ?? undefined);
  }
}
