// A workload with gRPC for Node.js, made at run time from workload.proto. Same steps and answers as py_workload.py.
//
// {"raw": METHOD, "header": VALUE | null, "request": {...}} calls one method with another header, or none.

import { X509Certificate } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const SECONDS_MAX = 15;
const proto = loader.loadSync(fileURLToPath(new URL('workload.proto', import.meta.url)), { keepCase: true });
const { SpiffeWorkloadAPI } = grpc.loadPackageDefinition(proto);
const socket = process.env.SPIFFE_ENDPOINT_SOCKET;
const api = new SpiffeWorkloadAPI(socket, grpc.credentials.createInsecure());

const heard = [];
const waiting = [];
const hear = (line) => (waiting.length ? waiting.shift()(line) : heard.push(line));

const code = (error) => grpc.status[error.code] ?? String(error);

function metadata(value = 'true') {
  const made = new grpc.Metadata();
  if (value !== null) made.set('workload.spiffe.io', value);
  return made;
}

const deadline = () => ({ deadline: Date.now() + 1000 * SECONDS_MAX });

function unary(method, request, header) {
  return new Promise((resolve, reject) =>
    api[method](request, metadata(header), deadline(), (error, answer) => (error ? reject(error) : resolve(answer))),
  );
}

// The first message of a stream, which is then left.
function first(method, request, header) {
  return new Promise((resolve, reject) => {
    const stream = api[method](request, metadata(header), deadline());
    stream.on('data', (message) => {
      resolve(message);
      stream.cancel();
    });
    stream.on('error', reject);
    stream.on('end', () => reject(new Error('the stream ended')));
  });
}

// Certificates one after the other, each as long as its own header says.
function certificates(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes[at + 1] < 0x80 ? bytes[at + 1] + 2 : bytes.readUIntBE(at + 2, bytes[at + 1] & 0x7f) + 2 + (bytes[at + 1] & 0x7f);
    const one = bytes.subarray(at, at + size);
    new X509Certificate(one);
    found.push(one.toString('base64'));
    at += size;
  }
  return found;
}

const domain = (id) => id.replace('spiffe://', '').split('/')[0];

async function x509() {
  const { svids, federated_bundles } = await first('FetchX509SVID', {});
  const bundles = Object.entries(federated_bundles ?? {}).map(([id, bundle]) => [domain(id), certificates(bundle)]);
  for (const svid of svids) bundles.push([domain(svid.spiffe_id), certificates(svid.bundle)]);
  const described = svids.map((svid) => ({
    spiffe_id: svid.spiffe_id,
    chain: certificates(svid.x509_svid),
    key: svid.x509_svid_key.toString('base64'),
    hint: svid.hint,
  }));
  return { svids: described, bundles: Object.fromEntries(bundles) };
}

async function perform(step) {
  if ('x509' in step || 'fetch' in step) return x509();
  if ('jwt' in step) {
    const { svids } = await unary('FetchJWTSVID', { audience: [step.jwt] });
    return { spiffe_id: svids[0].spiffe_id, token: svids[0].svid };
  }
  if ('jwt_bundles' in step) {
    const { bundles } = await first('FetchJWTBundles', {});
    const ids = (bundle) => JSON.parse(bundle.toString()).keys.map((key) => key.kid);
    return { bundles: Object.fromEntries(Object.entries(bundles).map(([id, bundle]) => [domain(id), ids(bundle).sort()])) };
  }
  if ('validate' in step) return { spiffe_id: (await unary('ValidateJWTSVID', { audience: step.audience, svid: step.validate })).spiffe_id };
  if ('watch' in step) {
    const stream = api.FetchX509SVID({}, metadata());
    stream.on('data', ({ svids }) => hear({ update: svids.map((svid) => svid.spiffe_id) }));
    stream.on('error', (error) => hear({ ended: code(error) }));
    return { watching: true };
  }
  if ('heard' in step) {
    if (heard.length) return heard.shift();
    return new Promise((resolve) => {
      const give = (line) => (clearTimeout(timer), resolve(line));
      const timer = setTimeout(() => (waiting.splice(waiting.indexOf(give), 1), resolve({ nothing: true })), 1000 * step.heard);
      waiting.push(give);
    });
  }
  if ('variable' in step) return { variable: process.env[step.variable] ?? null };
  if ('raw' in step) {
    const streams = api[step.raw].responseStream;
    await (streams ? first : unary)(step.raw, step.request ?? {}, step.header);
    return { answered: true };
  }
  throw new Error(`${JSON.stringify(step)} is not a step`);
}

process.on('SIGTERM', () => {});
for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = await perform(JSON.parse(line));
  } catch (error) {
    said = { error: code(error) === undefined ? String(error) : `${code(error)}: ${error.details ?? error.message}` };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
process.exit(0);
