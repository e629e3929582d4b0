import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { createOnnxEngine, type Engine } from '../../src/engines/index.js';
import { startOnnxWorker } from '../../src/engines/onnxruntime-engine.js';
import { DomainError } from '../../src/errors.js';
import { silentLog } from '../../src/log.js';
import {
  createRegistry,
  openModelStore,
  type Registry,
  type RegistryOptions,
} from '../../src/models/index.js';
import { tinyModel, tinyProbabilities } from '../engines/tiny-models.js';
import { makeFolder } from '../make-folder.js';
import { draftOf, inputSpec, labels } from './model-fixtures.js';

const batcher = { batchSizes: [1, 2, 4] };

/** A registry over a folder of its own, with the real runtime. */
async function setUp(t: ExecutionContext, options: Partial<RegistryOptions> = {}) {
  const folder = await makeFolder(t);
  const store = await openModelStore(folder);
  const engine = await createOnnxEngine({ threads: 1, restartDelayMs: 5 });
  t.teardown(() => engine.close()); // teardowns run last first
  const loads: string[] = [];
  const counted: Engine = {
    ...engine,
    load(spec) {
      loads.push(`${spec.model.length}`);
      return engine.load(spec);
    },
  };
  const open = (more: Partial<RegistryOptions> = {}) => {
    const registry = createRegistry(
      { batcher, pollMs: 5, ...options, ...more },
      { engine: counted, store, log: silentLog },
    );
    t.teardown(() => registry.close());
    return registry;
  };
  return { folder, store, engine, loads, open };
}

async function answerOf(registry: Registry, ref: string) {
  const handle = await registry.acquire(ref);
  try {
    const { probabilities } = await handle.batcher.submit(new Uint8Array(256));
    return { version: handle.manifest.version, first: probabilities[0] ?? Number.NaN };
  } finally {
    handle.release();
  }
}

const darkAnswer = (bias: number) => tinyProbabilities(new Uint8Array(256), { bias })[0] ?? 0;

function isNear(t: ExecutionContext, got: number, expected: number) {
  // float32 against float64.
  t.true(Math.abs(got - expected) < 1e-6, `${got} is not ${expected}`);
}

/** Waits for something that another process caused. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const endAt = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > endAt) throw new Error('it did not come');
    await new Promise<void>((resolve) => setTimeout(resolve, 2));
  }
}

test('a live version is loaded at the start, warmed, and lent by its name or by none', async (t) => {
  const { store, open } = await setUp(t);
  await store.publish(draftOf());
  await store.setAlias('cells', 'live', 1);
  const registry = open();
  await registry.start();
  t.like(registry.loaded()[0], { state: 'ready', device: 'onnxruntime/cpu', isLive: true });
  for (const ref of ['cells', 'cells@1', 'cells@live', '']) {
    const { version, first } = await answerOf(registry, ref);
    t.is(version, 1);
    isNear(t, first, darkAnswer(0));
  }
});

test('a version that is only on disk is loaded when it is asked for, once for all who ask', async (t) => {
  const { store, open, loads } = await setUp(t);
  await store.publish(draftOf());
  const registry = open();
  await registry.start();
  t.deepEqual(registry.loaded(), []);
  const handles = await Promise.all([1, 2, 3].map(() => registry.acquire('cells@1')));
  t.is(loads.length, 1);
  for (const handle of handles) handle.release();
});

test('promote swaps once the new version is ready, and the old one goes when its last loan is back', async (t) => {
  const { store, open } = await setUp(t);
  await store.publish(draftOf());
  await store.publish(draftOf('cells', { bias: 1 }));
  const registry = open();
  await registry.start();
  t.deepEqual((await registry.promote('cells', 1)).aliases, ['live']);
  const loan = await registry.acquire('cells');
  const promoted = await registry.promote('cells', 2);
  t.deepEqual([promoted.state, promoted.aliases], ['ready', ['live']]);
  t.deepEqual(await store.aliases('cells'), { live: 2, previous: 1 });
  isNear(t, (await answerOf(registry, 'cells')).first, darkAnswer(1));
  const states = () =>
    Object.fromEntries(registry.loaded().map(({ manifest, state }) => [manifest.version, state]));
  await until(() => states()[1] === 'draining');
  // Whoever has it may still finish with it.
  isNear(t, (await loan.batcher.submit(new Uint8Array(256))).probabilities[0] ?? 0, darkAnswer(0));
  t.is(states()[1], 'draining');
  loan.release();
  loan.release(); // does nothing
  await until(() => states()[1] === undefined);
  t.is((await registry.get('cells@1')).state, 'stored');
});

test('rollback makes the previous version live again, and once more takes it back', async (t) => {
  const { store, open } = await setUp(t);
  for (const bias of [0, 1]) await store.publish(draftOf('cells', { bias }));
  const registry = open();
  await registry.promote('cells', 1);
  await t.throwsAsync(registry.rollback('cells'), {
    code: 'model_unknown',
    message: 'cells has no previous version; it has 1, 2',
  });
  await registry.promote('cells', 2);
  t.is((await registry.rollback('cells')).manifest.version, 1);
  t.is((await answerOf(registry, 'cells')).version, 1);
  t.deepEqual(await store.aliases('cells'), { live: 1, previous: 2 });
  t.is((await registry.rollback('cells')).manifest.version, 2);
});

test('a version whose golden frame comes out different is refused, and the one before stays live', async (t) => {
  const { store, open } = await setUp(t);
  await store.publish(draftOf());
  const draft = draftOf('cells', { bias: 1 });
  const output = Array.from(draft.golden.output, (value, label) =>
    label === 2 ? value + 2e-4 : value,
  );
  await store.publish({ ...draft, golden: { ...draft.golden, output } });
  const registry = open();
  await registry.start();
  await registry.promote('cells', 1);
  const refused = {
    instanceOf: DomainError,
    code: 'model_failed',
    message:
      /^cells@2 is not served: its golden frame gave \S+ for Mitochondria in a batch of 1, expected/,
  };
  await t.throwsAsync(registry.promote('cells', 2), refused);
  await t.throwsAsync(registry.acquire('cells@2'), refused);
  const { state, failure } = await registry.get('cells@2');
  t.is(state, 'failed');
  t.true(failure.includes('golden frame'));
  t.deepEqual(await store.aliases('cells'), { live: 1 });
  t.is((await answerOf(registry, 'cells')).version, 1);
});

test('an output within the tolerance is served', async (t) => {
  const { store, open } = await setUp(t);
  const draft = draftOf();
  const output = Array.from(draft.golden.output, (value) => value + 0.9e-4);
  await store.publish({ ...draft, golden: { ...draft.golden, output } });
  t.is((await open().promote('cells', 1)).state, 'ready');
});

test('weights that were changed on disk are refused', async (t) => {
  const { folder, store, open } = await setUp(t);
  await store.publish(draftOf());
  const path = join(folder, 'cells', '1', 'model.onnx');
  const bytes = await readFile(path);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 255;
  await writeFile(path, bytes);
  const registry = open();
  await t.throwsAsync(registry.promote('cells', 1), {
    code: 'model_failed',
    message:
      'cells@1 is not served: cells@1: model.onnx is not the file that was published; bring that back, or promote another version',
  });
  // An operator put the right file back: a new promotion looks again.
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 255;
  await writeFile(path, bytes);
  t.is((await registry.promote('cells', 1)).state, 'ready');
});

test('a promotion by another process reaches a running registry', async (t) => {
  const { folder, store, open } = await setUp(t);
  for (const bias of [0, 1]) await store.publish(draftOf('cells', { bias }));
  await store.setAlias('cells', 'live', 1);
  const registry = open();
  await registry.start();
  t.is((await answerOf(registry, 'cells')).version, 1);
  const other = await openModelStore(folder);
  await other.changeAliases('cells', () => ({ live: 2, previous: 1 }));
  await until(async () => (await answerOf(registry, 'cells')).version === 2);
  // A model that was not there at the start as well.
  await other.publish(draftOf('fields'));
  await other.setAlias('fields', 'live', 1);
  await until(() => registry.loaded().some(({ manifest }) => manifest.name === 'fields'));
});

test('a promotion that the disk refuses changes nothing', async (t) => {
  const { folder, store, open } = await setUp(t);
  for (const bias of [0, 1]) await store.publish(draftOf('cells', { bias }));
  const registry = open();
  await registry.promote('cells', 1);
  const path = join(folder, 'cells', 'aliases.json');
  await rm(path);
  await mkdir(path); // no user, root neither, can write a file over a folder
  await t.throwsAsync(registry.promote('cells', 2), { code: 'storage_failed' });
  t.is((await answerOf(registry, 'cells')).version, 1);
});

test('what another process promoted and is damaged leaves the one before live', async (t) => {
  const { folder, store, open } = await setUp(t);
  for (const bias of [0, 1]) await store.publish(draftOf('cells', { bias }));
  await store.setAlias('cells', 'live', 1);
  const registry = open();
  await registry.start();
  await writeFile(join(folder, 'cells', '2', 'model.onnx'), 'not a model');
  await store.changeAliases('cells', () => ({ live: 2, previous: 1 }));
  await until(async () => (await registry.get('cells@2')).state === 'failed');
  t.is((await answerOf(registry, 'cells')).version, 1);
});

test('a start with one damaged model serves the others', async (t) => {
  const { folder, store, open } = await setUp(t);
  for (const name of ['cells', 'fields']) {
    await store.publish(draftOf(name));
    await store.setAlias(name, 'live', 1);
  }
  await writeFile(join(folder, 'cells', '1', 'golden.bin'), 'x');
  const registry = open();
  await registry.start();
  t.is((await answerOf(registry, 'fields')).version, 1);
  await t.throwsAsync(registry.acquire('cells'), { code: 'model_failed' });
  const told = registry
    .loaded()
    .map(({ manifest, state, isLive }) => [manifest.name, state, isLive]);
  t.deepEqual(told.sort(), [
    ['cells', 'failed', true],
    ['fields', 'ready', true],
  ]);
  t.deepEqual(registry.missing(), []);
});

test('a live version whose manifest cannot be read is missing until it is there again', async (t) => {
  const { folder, store, open } = await setUp(t);
  await store.publish(draftOf());
  await store.setAlias('cells', 'live', 1);
  const path = join(folder, 'cells', '1', 'model.json');
  const manifest = await readFile(path);
  await writeFile(path, '{');
  const registry = open();
  await registry.start();
  t.deepEqual(registry.missing(), [{ name: 'cells', version: 1 }]);
  await writeFile(path, manifest);
  await until(() => registry.missing().length === 0);
  t.is((await answerOf(registry, 'cells')).version, 1);
});

test('a stream pinned to a version keeps it while another becomes live', async (t) => {
  const { store, open, loads } = await setUp(t);
  for (const bias of [0, 1]) await store.publish(draftOf('cells', { bias }));
  const registry = open();
  await registry.promote('cells', 1);
  t.is((await answerOf(registry, 'cells@1')).version, 1);
  await registry.promote('cells', 2);
  t.is((await answerOf(registry, 'cells@1')).version, 1);
  t.is(loads.length, 2, 'it was not loaded again');
});

test('versions that nobody uses leave the memory, the longest unused first', async (t) => {
  const { store, open } = await setUp(t);
  for (const bias of [0, 1, 2, 3]) await store.publish(draftOf('cells', { bias }));
  const registry = open({ maxIdleVersions: 2 });
  await registry.promote('cells', 1);
  for (const version of [2, 3, 4]) await answerOf(registry, `cells@${version}`);
  const inMemory = () => registry.loaded().map(({ manifest }) => manifest.version);
  await until(() => inMemory().length === 3);
  t.deepEqual(inMemory(), [1, 3, 4]);
});

test('an engine that crashes while a version loads does not condemn the version', async (t) => {
  const { store, engine } = await setUp(t);
  await store.publish(draftOf());
  let isBroken = true;
  const flaky: Engine = {
    ...engine,
    async load(spec) {
      if (isBroken) throw new DomainError('not_ready', 'the engine restarts; try again');
      return engine.load(spec);
    },
  };
  const registry = createRegistry({ batcher }, { engine: flaky, store, log: silentLog });
  t.teardown(() => registry.close());
  await t.throwsAsync(registry.acquire('cells@1'), { code: 'not_ready' });
  isBroken = false;
  t.is((await answerOf(registry, 'cells@1')).version, 1);
});

test('an engine that dies between two frames costs no frame', async (t) => {
  const store = await openModelStore(await makeFolder(t));
  await store.publish(draftOf());
  const workers: Worker[] = [];
  const startWorker = (settings: Parameters<typeof startOnnxWorker>[0]) => {
    const worker = startOnnxWorker(settings);
    workers.push(worker);
    return worker;
  };
  const engine = await createOnnxEngine({ threads: 1, restartDelayMs: 5 }, { startWorker });
  t.teardown(() => engine.close());
  const registry = createRegistry({ batcher }, { engine, store, log: silentLog });
  t.teardown(() => registry.close());
  await registry.promote('cells', 1);
  for (let crash = 1; crash <= 3; crash += 1) {
    await workers.at(-1)?.terminate();
    const answers = await Promise.all([1, 2, 3, 4].map(() => answerOf(registry, 'cells')));
    for (const { first } of answers) isNear(t, first, darkAnswer(0));
    t.is(workers.length, crash + 1);
  }
});

test('an imported model becomes the candidate, with the answer it gave as its record', async (t) => {
  const { store, open } = await setUp(t);
  const registry = open();
  const draft = {
    name: 'cells',
    onnx: tinyModel({ bias: 0.5 }),
    labels,
    inputSpec,
    thresholds: labels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
  };
  const { manifest, aliases } = await registry.import(draft);
  t.deepEqual(aliases, ['candidate']);
  const frame = await store.readFile(manifest, 'golden.bin');
  for (const [label, expected] of tinyProbabilities(frame, { bias: 0.5 }).entries()) {
    isNear(t, manifest.goldenOutput[label] ?? 0, expected);
  }
  isNear(t, (await answerOf(registry, 'cells@candidate')).first, darkAnswer(0.5));
  await t.throwsAsync(registry.acquire('cells'), { code: 'model_unknown' });

  const refused = (change: object, code: string, message: RegExp) =>
    t.throwsAsync(registry.import({ ...draft, ...change }), {
      instanceOf: DomainError,
      code,
      message,
    });
  await refused({ onnx: new Uint8Array(9) }, 'model_failed', /^expected an ONNX model/);
  await refused({ onnx: tinyModel({ sizePx: 4 }) }, 'model_failed', /^expected input "pixels"/);
  await refused(
    { onnx: tinyModel({ isRaw: true, bias: 3 }) },
    'model_failed',
    /^expected probabilities of 0 to 1, got 3\.\d+ for Nucleoplasm/,
  );
  await refused({ thresholds: [2] }, 'option_invalid', /thresholds: expected 4, got 1/);
  await refused({ name: '../cells' }, 'option_invalid', /^model name/);
  t.deepEqual(await store.versions('cells'), [1]);
});

test('swaps under load lose no frame, and each answer is of the version that it names', async (t) => {
  const { store, open } = await setUp(t);
  const biases = [0, 1, 2];
  for (const bias of biases) await store.publish(draftOf('cells', { bias }));
  const registry = open();
  await registry.start();
  await registry.promote('cells', 1);
  const seen = new Map<number, number>();
  let isOver = false;
  let sent = 0;
  const stream = async (seed: number) => {
    for (let index = 0; !isOver; index += 1) {
      sent += 1;
      const level = (seed * 37 + index * 11) % 256;
      const handle = await registry.acquire('cells');
      try {
        const { version } = handle.manifest;
        const pixels = new Uint8Array(256).fill(level);
        const { probabilities } = await handle.batcher.submit(pixels, { streamId: `${seed}` });
        const bias = biases[version - 1] ?? Number.NaN;
        const expected = tinyProbabilities(pixels, { bias })[0] ?? 0;
        if (Math.abs((probabilities[0] ?? 0) - expected) > 1e-6) throw new Error('crossed');
        seen.set(version, (seen.get(version) ?? 0) + 1);
      } finally {
        handle.release();
      }
    }
  };
  const streams = Promise.all(Array.from({ length: 8 }, (_, seed) => stream(seed)));
  for (let round = 0; round < 4; round += 1) {
    for (const version of [2, 3, 1]) {
      await registry.promote('cells', version);
      const before = seen.get(version) ?? 0;
      await until(() => (seen.get(version) ?? 0) > before + 20);
    }
    await registry.rollback('cells');
  }
  isOver = true;
  await streams;
  t.is(
    [...seen.values()].reduce((sum, count) => sum + count, 0),
    sent,
  );
  await until(() => registry.loaded().length === 1);
});

test('close waits for what is lent, lends no more, and ends once', async (t) => {
  const { store, open } = await setUp(t);
  await store.publish(draftOf());
  const registry = open();
  await registry.promote('cells', 1);
  const handle = await registry.acquire('cells');
  let isClosed = false;
  const closing = registry.close().then(() => {
    isClosed = true;
  });
  await t.throwsAsync(registry.acquire('cells'), { code: 'draining' });
  const { probabilities } = await handle.batcher.submit(new Uint8Array(256));
  isNear(t, probabilities[0] ?? 0, darkAnswer(0));
  t.false(isClosed);
  handle.release();
  await closing;
  await registry.close();
  t.deepEqual(registry.loaded(), []);
});

test('a model may have a delay of its own: its batches wait for company, those of others do not', async (t) => {
  const { store, open } = await setUp(t, { delaysMs: { patient: 60_000 } });
  for (const name of ['patient', 'prompt']) {
    await store.publish(draftOf(name));
    await store.setAlias(name, 'live', 1);
  }
  const registry = open({ batcher: { ...batcher, batchSizes: [2] } });
  const [patient, prompt] = [await registry.acquire('patient'), await registry.acquire('prompt')];
  const submit = ({ batcher: { submit } }: typeof patient) => submit(new Uint8Array(256));
  const first = submit(patient);
  t.is((await submit(prompt)).batchSize, 1);
  t.is(patient.batcher.queuedFrames, 1, 'it still waits');
  const rows = [first, submit(patient)];
  t.deepEqual(
    (await Promise.all(rows)).map(({ batchSize }) => batchSize),
    [2, 2],
  );
  patient.release();
  prompt.release();
});
