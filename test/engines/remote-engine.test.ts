import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { connect } from '../../src/client/index.js';
import {
  createFakeEngine,
  createOnnxEngine,
  createOnnxGraphRunner,
  type Engine,
  fakeProbabilities,
  type Session,
} from '../../src/engines/index.js';
import { createRemoteEngine } from '../../src/engines/remote-engine.js';
import { DomainError, type ErrorCode } from '../../src/errors.js';
import type { Frame } from '../../src/frames/index.js';
import { buildInference, initialiseParameters } from '../../src/graph/index.js';
import { createGoldenFrame } from '../../src/models/index.js';
import { packageRoot } from '../../src/package-root.js';
import type { ModelDescription } from '../../src/rpc/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { makeFolder } from '../make-folder.js';
import { draftOf } from '../models/model-fixtures.js';
import { findPython } from '../python/python.js';
import { inputSpec, openTestPort } from '../rpc/fakes.js';
import { smallRowBytes, smallRows } from '../small-frames.js';
import { fakeDraft, startSmallServer } from '../small-server.js';
import { testEngine } from './engine-suite.js';
import { tinyProbabilities } from './tiny-models.js';

const inputShape = [4, 8, 8] as const;
const spec = { model: new Uint8Array(0), inputShape, labelCount: 3, name: 'cells' };

// One other side for the whole suite: what it does to a server, another engine does not see.
const closers: (() => unknown)[] = [];
let other: ReturnType<typeof startSmallServer> | null = null;
test.after.always(async () => {
  for (const close of closers.toReversed()) await close();
});

testEngine({
  name: 'remote, another of ours',
  async open() {
    const drafts = [fakeDraft('cells'), fakeDraft('others', ['a', 'b', 'c', 'd', 'e'])];
    const teardown = (close: () => unknown) => closers.push(close);
    other ??= startSmallServer({ teardown }, { drafts });
    return createRemoteEngine({ remote: (await other).address });
  },
  specs: [spec, { ...spec, name: 'others', labelCount: 5 }],
  expected: (model, pixels) => fakeProbabilities(pixels, model === 0 ? 3 : 5),
  tolerance: 0,
  unfit: [
    {
      spec: { ...spec, inputShape: [4, 16, 16] },
      message: /^expected input "pixels" to be uint8 \[N, 4, 16, 16\] .* got uint8 \[N, 4, 8, 8\]$/,
    },
    { spec: { ...spec, labelCount: 28 }, message: /^expected output .* got float32 \[N, 3\]$/ },
  ],
});

function openEngine(t: ExecutionContext, options: Parameters<typeof createRemoteEngine>[0]) {
  const engine = createRemoteEngine(options);
  t.teardown(() => engine.close());
  return engine;
}

const frame = () => smallRows(1, 7);

test('while the other side is away runs are not_ready, and then they go on', async (t) => {
  const first = await startSmallServer(t);
  const engine = openEngine(t, { remote: first.address });
  const session = await engine.load(spec);
  t.true(session.isReady);
  await first.server.close();
  await t.throwsAsync(session.run(frame(), 1), { instanceOf: DomainError, code: 'not_ready' });
  await t.throwsAsync(engine.load(spec), { code: 'not_ready' });
  while (session.isReady) {
    await t.throwsAsync(session.run(frame(), 1), { code: 'not_ready' });
    await turn();
  }
  await startSmallServer(t, { port: first.server.port });
  while (!session.isReady) await new Promise((resolve) => setTimeout(resolve, 10));
  const { probabilities } = await session.run(frame(), 1);
  t.deepEqual(probabilities, fakeProbabilities(frame(), 3));
});

test('distances come along where the other side measures them', async (t) => {
  const fake = createFakeEngine();
  const distanceOf = (pixels: Uint8Array, row: number) => 1 + (pixels[row * smallRowBytes] ?? 0);
  const measuring: Engine = {
    ...fake,
    async load(given) {
      const session = await fake.load(given);
      const run: Session['run'] = async (input, batchSize) => {
        const rows = Array.from({ length: batchSize }, (_, row) => distanceOf(input, row));
        return { ...(await session.run(input, batchSize)), distances: Float32Array.from(rows) };
      };
      return { ...session, run };
    },
  };
  const drift = { threshold: 9, source: '99 % of 40 validation frames are nearer' };
  const drafts = [{ ...fakeDraft('cells'), drift }, fakeDraft('plain')];
  const { address } = await startSmallServer(t, { engine: measuring, drafts });
  const engine = openEngine(t, { remote: address });
  const rows = smallRows(3, 5);
  const session = await engine.load({ ...spec, hasDistance: true });
  const { distances, probabilities } = await session.run(rows.slice(), 3);
  t.deepEqual(
    [...(distances ?? [])],
    [0, 1, 2].map((row) => distanceOf(rows, row)),
  );
  t.is(probabilities.length, 3 * 3);
  t.is((await (await engine.load(spec)).run(rows.slice(), 3)).distances, undefined);
  const plain = await engine.load({ ...spec, name: 'plain', hasDistance: true });
  t.is((await plain.run(rows.slice(), 3)).distances, undefined);
});

test('a server that is not there is not_ready, and an address that is none is refused', async (t) => {
  const engine = openEngine(t, { remote: '127.0.0.1:1', loadTimeoutMs: 5000 });
  await t.throwsAsync(engine.load(spec), { instanceOf: DomainError, code: 'not_ready' });
  for (const remote of ['', 'cluster', 'http://cluster:8001', 'cluster:8001/v2']) {
    t.throws(() => createRemoteEngine({ remote }), { code: 'option_invalid' });
  }
  await t.throwsAsync(engine.load({ ...spec, name: '' }), { code: 'option_invalid' });
});

test('an answer that does not come in time is not_ready', async (t) => {
  let hang = false;
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const slow = createFakeEngine({ runMs: 1, wait: async () => (hang ? gate : null) });
  const { address } = await startSmallServer(t, { engine: slow });
  t.teardown(goOn);
  const session = await openEngine(t, { remote: address, runTimeoutMs: 2000 }).load(spec);
  t.deepEqual((await session.run(frame(), 1)).probabilities, fakeProbabilities(frame(), 3));
  hang = true;
  await t.throwsAsync(session.run(frame(), 1), { instanceOf: DomainError, code: 'not_ready' });
});

test('what the other side says becomes an error of ours, without its paths', async (t) => {
  const model: ModelDescription = {
    name: 'cells',
    version: 1,
    state: 'ready',
    aliases: ['live'],
    labels: Array.from({ length: 28 }, (_, index) => `label ${index}`),
    thresholds: [],
    thresholdsSource: '',
    inputSpec,
    calibration: null,
    drift: null,
    explains: false,
    scores: null,
    createdAtMs: 0,
    runId: '',
    training: null,
    parent: '',
    datasetFingerprint: '',
    sha256: '',
    device: '',
    precision: '',
    precisionNote: '',
    resizeNote: '',
    failure: '',
  };
  const unused = async (): Promise<never> => {
    throw new Error('the test did not expect this call');
  };
  let failure = new DomainError('internal', '');
  const { address } = await openTestPort(t, {
    models: {
      describe: async () => model,
      list: async () => [model],
      promote: unused,
      rollback: unused,
      import: unused,
    },
    pixelClassifier: { classifyPixels: () => Promise.reject(failure) },
  });
  const small = { ...spec, inputShape: [4, 4, 4] as const, labelCount: 28 };
  const session = await openEngine(t, { remote: address }).load(small);
  const expected: [ErrorCode, ErrorCode][] = [
    ['overloaded', 'overloaded'],
    ['not_ready', 'not_ready'],
    ['draining', 'not_ready'],
    ['deadline', 'not_ready'],
    ['model_failed', 'model_failed'],
    ['frame_invalid', 'model_failed'],
    ['internal', 'model_failed'],
  ];
  for (const [theirs, ours] of expected) {
    failure = new DomainError(theirs, 'no luck with /srv/models/cells');
    const error = await t.throwsAsync(session.run(new Uint8Array(64), 1), {
      instanceOf: DomainError,
    });
    t.is(error?.code, ours, theirs);
    t.notRegex(error?.message ?? '', /\/srv/);
  }
});

test('the version that answered first is asked for from then on', async (t) => {
  const drafts = [draftOf('cells'), draftOf('cells', { bias: 1 })];
  const engine = await createOnnxEngine({ threads: 1 });
  const { server, address } = await startSmallServer(t, { engine, drafts });
  const four = { ...spec, labelCount: 4 };
  const before = await openEngine(t, { remote: address }).load(four);
  const pixels = smallRows(1, 3);
  const rounded = (values: ArrayLike<number>) => Array.from(values, (value) => value.toFixed(5));
  const run = async (session: typeof before) =>
    rounded((await session.run(pixels.slice(), 1)).probabilities);
  t.deepEqual(await run(before), rounded(tinyProbabilities(pixels)));
  await server.parts.registry.promote('cells', 2);
  t.deepEqual(await run(before), rounded(tinyProbabilities(pixels)));
  const after = await openEngine(t, { remote: address }).load(four);
  t.deepEqual(await run(after), rounded(tinyProbabilities(pixels, { bias: 1 })));
  const named = openEngine(t, { remote: address, remoteModel: 'cells@1' });
  t.deepEqual(await run(await named.load(four)), rounded(tinyProbabilities(pixels)));
});

test('a whole server serves with a network that is on another, and refuses a different one', async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  const drafts = [draftOf('cells'), draftOf('other', { bias: 1 })];
  const far = await startSmallServer(t, { engine, drafts });
  const near = await startSmallServer(t, {
    engine: createRemoteEngine({ remote: far.address }),
    // The golden frame of this "other" is not what the far one answers.
    drafts: [draftOf('cells'), draftOf('other')],
  });
  const client = connect(near.address);
  t.teardown(() => client.close());
  const pixels = smallRows(1, 11);
  const { prediction, model } = await client.classifyFrame(frameOf(pixels), { model: 'cells' });
  t.is(model.device, `remote/${far.address}`);
  const expected = tinyProbabilities(pixels);
  for (const [label, value] of expected.entries()) {
    t.true(Math.abs((prediction.probabilities[label] ?? 9) - value) < 1e-6);
  }
  t.is((await client.getModel('cells')).device, `remote/${far.address}`);
  const { text } = await near.server.parts.metrics.expose();
  t.true(
    text.includes(
      `model="cells",version="1",state="ready",device="remote/${far.address}",precision="full"`,
    ),
  );
  const isServing = () => near.server.parts.registry.loaded().some(({ canRun }) => canRun);
  t.true(isServing());
  const other = await client.getModel('other');
  t.is(other.state, 'failed');
  t.regex(other.failure, /golden frame gave/);
  // With the far side gone nothing would be run here: health and readiness say so.
  await far.server.close();
  const ready = () => fetch(`http://127.0.0.1:${near.server.httpPort}/readyz`);
  while ((await ready()).ok) await turn();
  t.false(isServing());
});

test('distances come from the other side too', async (t) => {
  const [channels, sizePx] = [4, 40] as const;
  const size = 2 * channels + 128;
  const shape = { channels, heightPx: sizePx, widthPx: sizePx, labelCount: 3 };
  const network = createNetwork('seed-cnn', shape);
  // Only the mean of the first channel counts, ten times over.
  const kernel = new Float32Array(size * size);
  kernel[0] = 10;
  const whitening = { kernel, bias: new Float32Array(size) };
  const model = buildInference(network, initialiseParameters(network, 3), { whitening });
  const inputSpec = { ...fakeDraft('cells').inputSpec, widthPx: sizePx, heightPx: sizePx };
  const golden = createGoldenFrame(inputSpec);
  const runner = await createOnnxGraphRunner(model, { threads: 1 });
  const { probabilities } = await runner.run({
    pixels: { type: 'uint8', shape: [1, channels, sizePx, sizePx], values: golden },
  });
  await runner.close();
  const draft = {
    ...fakeDraft('cells'),
    model,
    inputSpec,
    golden: { frame: golden, output: probabilities?.values as Float32Array },
    drift: { threshold: 3, source: 'a test' },
  };
  const engine = await createOnnxEngine({ threads: 1 });
  const far = await startSmallServer(t, { engine, drafts: [draft] });
  const near = await startSmallServer(t, {
    engine: createRemoteEngine({ remote: far.address }),
    drafts: [draft],
  });
  const client = connect(near.address);
  t.teardown(() => client.close());
  const bytes = new Uint8Array(sizePx * sizePx).fill(102);
  const { prediction } = await client.classifyFrame({
    id: 'a',
    widthPx: sizePx,
    heightPx: sizePx,
    pixelType: 'uint8',
    significantBits: 0,
    encoding: 'raw',
    planes: inputSpec.channels.map((channel) => ({ channel, bytes })),
  });
  // Float32 mean of 1600 equal pixels, times ten.
  t.true(Math.abs((prediction.distance ?? 0) - 4) < 1e-4, `got ${prediction.distance}`);
  // One that says that it has them, but whose engine does not tell them, is served without too.
  const silent = await startSmallServer(t, {
    drafts: [{ ...fakeDraft('cells'), drift: { threshold: 3, source: 'a test' } }],
  });
  const unheard = await openEngine(t, { remote: silent.address }).load({
    ...{ model, labelCount: 3, name: 'cells', hasDistance: true },
    inputShape: [channels, 8, 8],
  });
  t.is((await unheard.run(new Uint8Array(2 * channels * 64), 2)).distances, undefined);
  // A model that keeps it to itself over there is served without.
  const session = await openEngine(t, { remote: far.address }).load({
    ...{ model, labelCount: 3, name: 'cells' },
    inputShape: [channels, sizePx, sizePx],
  });
  const rows = new Uint8Array(2 * channels * sizePx * sizePx).fill(102);
  t.is((await session.run(rows, 2)).distances, undefined);
});

test('MLServer answers as an engine', async (t) => {
  const python = await findPython(t, ['mlserver']);
  if (python === null) return;
  const folder = await makeFolder(t);
  const port = await freePort();
  await copyFile(
    join(packageRoot, 'test/python/mlserver_mean.py'),
    join(folder, 'mlserver_mean.py'),
  );
  const json = (file: string, value: object) =>
    writeFile(join(folder, file), JSON.stringify(value));
  await json('settings.json', {
    host: '127.0.0.1',
    http_port: await freePort(),
    grpc_port: port,
    metrics_endpoint: null,
    parallel_workers: 0,
  });
  await json('model-settings.json', {
    name: 'cells',
    implementation: 'mlserver_mean.Mean',
    inputs: [{ name: 'pixels', datatype: 'UINT8', shape: [-1, 4, 8, 8] }],
    outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 4] }],
  });
  const words = [join(dirname(python), 'mlserver'), 'start', folder];
  const { engine, session } = await openChild(t, { python, words, folder, port });
  if (session === null) return;
  await answersMeans(t, session);
  const white = new Uint8Array(smallRowBytes).fill(255);
  const error = await t.throwsAsync(session.run(white, 1), { instanceOf: DomainError });
  t.is(error?.code, 'model_failed');
  t.notRegex(error?.message ?? '', /\/srv/);
  await t.throwsAsync(engine.load({ ...means, labelCount: 28 }), {
    message: /^expected output "probabilities" to be float32 \[N, 28\]/,
  });
});

for (const contents of ['typed', 'raw']) {
  test(`KServe answers as an engine, in ${contents} contents`, async (t) => {
    const python = await findPython(t, ['kserve']);
    if (python === null) return;
    const folder = await makeFolder(t);
    const [port, httpPort] = [await freePort(), await freePort()];
    const script = join(packageRoot, 'test/python/kserve_mean.py');
    const words = [script, `${port}`, `${httpPort}`, contents];
    const { session } = await openChild(t, { python, words, folder, port });
    if (session !== null) await answersMeans(t, session);
  });
}

const means = { ...spec, labelCount: 4 };

/** Starts a server of another's and loads "cells" of it; no session where it ended, with what it said. */
async function openChild(
  t: ExecutionContext,
  {
    python,
    words,
    folder,
    port,
  }: {
    readonly python: string;
    readonly words: readonly string[];
    readonly folder: string;
    readonly port: number;
  },
) {
  const child = spawn(python, words, {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const engine = openEngine(t, { remote: `127.0.0.1:${port}` });
  let session: Session | null = null;
  while (session === null && child.exitCode === null) {
    session = await engine.load(means).catch(async (error: DomainError) => {
      if (error.code !== 'not_ready') throw error;
      // It still starts, and needs the core for that.
      await new Promise((resolve) => setTimeout(resolve, 100));
      return null;
    });
  }
  if (session === null) t.fail(said);
  return { engine, session };
}

/** Three frames in one batch come back, with the sigmoids of their channels' means. */
async function answersMeans(t: ExecutionContext, session: Session) {
  const rows = smallRows(3, 5);
  const { probabilities, input } = await session.run(rows.slice(), 3);
  t.deepEqual(input, rows);
  t.is(probabilities.length, 12);
  for (let row = 0; row < 3; row += 1) {
    const pixels = rows.subarray(row * smallRowBytes, (row + 1) * smallRowBytes);
    for (const [label, value] of tinyProbabilities(pixels).entries()) {
      t.true(Math.abs((probabilities[row * 4 + label] ?? 9) - value) < 1e-6);
    }
  }
}

/** A raw frame of the small models' size with these pixels. */
const frameOf = (pixels: Uint8Array): Frame => ({
  id: 'a',
  widthPx: 8,
  heightPx: 8,
  pixelType: 'uint8',
  significantBits: 0,
  encoding: 'raw',
  planes: draftOf().inputSpec.channels.map((channel, index) => ({
    channel,
    bytes: pixels.subarray(index * 64, (index + 1) * 64),
  })),
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
