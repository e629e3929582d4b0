import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { type ConfigInput, parseConfig } from '../../src/config.js';
import { DomainError } from '../../src/errors.js';
import {
  GRPCInferenceServiceService,
  ModelInferResponse,
  ModelMetadataResponse,
} from '../../src/gen/inference/open_inference_grpc.js';
import { silentLog } from '../../src/log.js';
import { createRegistry, openModelStore } from '../../src/models/index.js';
import { openEngine } from '../../src/server/open-engine.js';
import { openTokenFile } from '../../src/server/token-file.js';
import { createLog } from '../../src/telemetry/index.js';
import { makeFolder } from '../make-folder.js';
import { smallRowBytes } from '../small-frames.js';
import { fakeDraft } from '../small-server.js';

const spec = {
  model: new Uint8Array(0),
  inputShape: [4, 8, 8],
  labelCount: 2,
  name: 'cells',
} as const;

/** A server as a gateway stands before one: it sees who asks, by which name, with which token. */
async function startGateway(t: ExecutionContext, credentials = ServerCredentials.createInsecure()) {
  const calls: { readonly host: string; readonly token: string }[] = [];
  const seeing =
    <Answer>(answer: Answer) =>
    (call: ServerUnaryCall<unknown, Answer>, done: sendUnaryData<Answer>) => {
      const tokenOf = (metadata: Metadata) => `${metadata.get('authorization')[0] ?? ''}`;
      calls.push({ host: call.getHost(), token: tokenOf(call.metadata) });
      done(null, answer);
    };
  const { modelReady, modelMetadata, modelInfer } = GRPCInferenceServiceService;
  const server = new Server();
  server.addService(
    { modelReady, modelMetadata, modelInfer },
    {
      modelReady: seeing({ ready: true }),
      modelMetadata: seeing(ModelMetadataResponse.fromPartial({ name: 'cells' })),
      modelInfer: seeing(
        ModelInferResponse.fromPartial({
          modelName: 'cells',
          outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [1, 2] }],
          rawOutputContents: [new Uint8Array(Float32Array.of(0.25, 0.5).buffer)],
        }),
      ),
    },
  );
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', credentials);
  t.teardown(() => server.forceShutdown());
  return { calls, address: `127.0.0.1:${port}` };
}

/** An engine of these settings, and every line that it logs. */
async function open(t: ExecutionContext, given: ConfigInput) {
  const lines: string[] = [];
  const log = createLog({ level: 'trace', destination: { write: (line) => lines.push(line) } });
  const parsed = parseConfig({ engine: 'remote', ...given }, {});
  if ('faults' in parsed) throw new Error(parsed.faults.join());
  const engine = await openEngine(parsed.value, log);
  t.teardown(() => engine.close());
  return { engine, lines };
}

const pixels = () => new Uint8Array(smallRowBytes);

test('each call carries the token of the file and asks by the name that is set; no line of the log has the token', async (t) => {
  const { calls, address } = await startGateway(t);
  const remoteTokenFile = join(await makeFolder(t), 'token');
  await writeFile(remoteTokenFile, 'first-secret\n');
  const { engine, lines } = await open(t, {
    ...{ remote: address, remoteTokenFile, remoteAuthority: 'cells.models.example' },
  });
  const session = await engine.load(spec);
  t.deepEqual([...(await session.run(pixels(), 1)).probabilities], [0.25, 0.5]);
  t.is(calls.length, 3);
  for (const call of calls) {
    t.deepEqual(call, { host: 'cells.models.example', token: 'Bearer first-secret' });
  }
  t.regex(lines.join(''), /the token goes to the model server in plain text/);
  t.false(lines.join('').includes('secret'));
});

test('without the settings a call asks by HOST:PORT and carries no token', async (t) => {
  const { calls, address } = await startGateway(t);
  const { engine } = await open(t, { remote: address });
  await engine.load(spec);
  t.deepEqual(calls[0], { host: address, token: '' });
});

test('a token that is replaced goes out once a second has passed, and a file that is gone is told', async (t) => {
  const path = join(await makeFolder(t), 'token');
  let atMs = 0;
  const token = openTokenFile(path, { nowMs: () => atMs });
  await writeFile(path, 'first');
  t.is(await token(), 'first');
  await writeFile(path, 'second');
  atMs = 999;
  t.is(await token(), 'first');
  atMs = 1000;
  t.is(await token(), 'second');
  for (const text of ['', ' \n', 'two words', 'a\nb']) {
    await writeFile(path, text);
    atMs += 1000;
    const error = await t.throwsAsync(token(), { instanceOf: DomainError, code: 'option_invalid' });
    t.false(error?.message.includes(path));
  }
  await rm(path);
  atMs += 1000;
  await t.throwsAsync(token(), { code: 'option_invalid', message: /cannot be read/ });
});

test('a setting whose file is not there stops the start with its name', async (t) => {
  const remote = 'grpcs://127.0.0.1:1';
  const gone = join(await makeFolder(t), 'gone');
  for (const [given, name] of [
    [{ remoteTokenFile: gone }, 'remoteTokenFile'],
    [{ remoteAuthorities: gone }, 'remoteAuthorities'],
    [{ remoteCert: gone, remoteKey: gone }, 'remoteCert'],
  ] as const) {
    await t.throwsAsync(open(t, { remote, ...given }), {
      ...{ instanceOf: DomainError, code: 'option_invalid' },
      message: new RegExp(`^${name}: expected a file`),
    });
  }
});

test('half precision that is declared is what a session says, where the other side says nothing', async (t) => {
  const { address } = await startGateway(t);
  const { engine } = await open(t, { remote: address, precision: 'half' });
  t.is((await engine.load(spec)).precision, 'half');
  const { engine: silent } = await open(t, { remote: address });
  t.is((await silent.load(spec)).precision, 'full');
});

test('a copy in half precision elsewhere serves once it is declared, and is refused before', async (t) => {
  const { address } = await startGateway(t);
  const store = await openModelStore(await makeFolder(t));
  const draft = fakeDraft('cells', ['a', 'b']);
  // What the gateway answers lies 1e-3 off: more than in full precision, less than in half.
  const output = Float32Array.of(0.251, 0.5);
  await store.publish({ ...draft, golden: { ...draft.golden, output } });
  const acquire = async (precision: 'half' | 'auto') => {
    const { engine } = await open(t, { remote: address, precision });
    const options = { batcher: { batchSizes: [1] } };
    const registry = createRegistry(options, { engine, store, log: silentLog });
    t.teardown(() => registry.close());
    const handle = await registry.acquire('cells@1');
    t.is(handle.precision, 'half');
    handle.release();
  };
  await acquire('half');
  await t.throwsAsync(acquire('auto'), { code: 'model_failed', message: /golden frame gave/ });
});

test('over TLS the certificate of this side is shown, and that of the other is checked by the name that is set', async (t) => {
  const folder = await makeFolder(t);
  const theirs = await makeCertificate(folder, 'cells.models.example');
  const ours = await makeCertificate(folder, 'microscope');
  if (theirs === null || ours === null) {
    t.log('SKIPPED: openssl is needed to make a certificate');
    t.pass();
    return;
  }
  const pair = { private_key: readFileSync(theirs.key), cert_chain: readFileSync(theirs.cert) };
  const credentials = ServerCredentials.createSsl(readFileSync(ours.cert), [pair], true);
  const { calls, address } = await startGateway(t, credentials);
  const secure = {
    remote: `grpcs://localhost:${address.split(':')[1]}`,
    remoteAuthorities: theirs.cert,
  };
  const named = { ...secure, remoteAuthority: 'cells.models.example' };
  const { engine } = await open(t, { ...named, remoteCert: ours.cert, remoteKey: ours.key });
  t.deepEqual([...(await (await engine.load(spec)).run(pixels(), 1)).probabilities], [0.25, 0.5]);
  t.is(calls[0]?.host, 'cells.models.example');
  // Neither without a certificate, nor by a name that theirs has not.
  for (const given of [named, { ...secure, remoteCert: ours.cert, remoteKey: ours.key }]) {
    const { engine: refused } = await open(t, given);
    await t.throwsAsync(refused.load(spec), { instanceOf: DomainError, code: 'not_ready' });
  }
});

/** A certificate of that name and its key; null where there is no openssl. */
async function makeCertificate(folder: string, name: string) {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const words = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=${name} -keyout ${key} -out ${cert}`;
  const extension = ['-addext', `subjectAltName=DNS:${name}`];
  const run = promisify(execFile);
  const made = await run('openssl', [...words.split(' '), ...extension]).catch(() => null);
  return made === null ? null : { key, cert };
}
