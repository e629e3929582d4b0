import type { Worker } from 'node:worker_threads';
import test from 'ava';
import {
  createEnginePool,
  createFakeEngine,
  createOnnxEngine,
  type Engine,
  withGraphs,
} from '../../src/engines/index.js';
import { startOnnxWorker } from '../../src/engines/onnxruntime-engine.js';
import { DomainError } from '../../src/errors.js';
import { expectedMaps, goldenFrame as frame, openExplainable } from './explainable.js';

test.serial('labels are explained beside serving, four a run, in the order asked', async (t) => {
  const engines = [await createOnnxEngine({ threads: 1 }), await createOnnxEngine({ threads: 1 })];
  const pool = createEnginePool(engines as [Engine, Engine]);
  const handle = await (await openExplainable(t, pool)).acquire('cells@1');
  t.teardown(handle.release);
  const before = frame.slice();
  const [explained, row] = await Promise.all([
    handle.explainer.explain({ pixels: frame, labelIndices: [5, 0, 3, 2, 4] }),
    handle.batcher.submit(frame),
  ]);
  t.deepEqual(frame, before, 'the pixels are not given away');
  t.is(row.probabilities.length, 6);
  const expected = [...(await expectedMaps([5, 0, 3, 2])), (await expectedMaps([4, 0, 0, 0]))[0]];
  t.deepEqual(explained.maps, expected as typeof explained.maps);
  t.true(explained.maps.some((map) => map.some((value) => value > 0)));
  t.is(explained.embedding.length, 5);
  t.is(explained.spec.widthPx, 6);
  t.true(explained.runMs > 0);

  const alone = await handle.explainer.explain({ pixels: frame, labelIndices: [] });
  t.deepEqual(alone.embedding, explained.embedding);
  t.deepEqual(alone.maps, []);
});

test.serial(
  'a version made elsewhere, and an engine without graphs, say unsupported',
  async (t) => {
    const registry = await openExplainable(t, await createOnnxEngine({ threads: 1 }));
    const made = await registry.acquire('cells@2');
    t.teardown(made.release);
    const error = t.throws(() => made.explainer.assertExplains(), { instanceOf: DomainError });
    t.is(error.code, 'unsupported');
    t.regex(error.message, /^cells@2 gives neither explanations nor embeddings/);
    const asked = made.explainer.explain({ pixels: frame, labelIndices: [0] });
    t.is((await t.throwsAsync(asked, { instanceOf: DomainError })).code, 'unsupported');

    const plain = createFakeEngine();
    const fake = await openExplainable(t, plain);
    const handle = await fake.acquire('cells@1');
    t.teardown(handle.release);
    t.throws(() => handle.explainer.assertExplains(), {
      message: 'the engine fake gives no explanations',
    });
  },
);

test.serial('only so many explanations wait, and one whose caller left is not run', async (t) => {
  const registry = await openExplainable(t, await createOnnxEngine({ threads: 1 }));
  const { explainer, release } = await registry.acquire('cells@1');
  t.teardown(release);
  const leaving = new AbortController();
  const asked = Array.from({ length: 17 }, (_, at) =>
    explainer.explain({
      pixels: frame,
      labelIndices: [0],
      signal: at === 16 ? leaving.signal : undefined,
    }),
  );
  const tooMany = explainer.explain({ pixels: frame, labelIndices: [0] });
  leaving.abort(new DomainError('cancelled', 'the caller left'));
  const instead = explainer.explain({ pixels: frame, labelIndices: [0] });
  t.is((await t.throwsAsync(tooMany, { instanceOf: DomainError })).code, 'overloaded');
  t.is((await t.throwsAsync(asked[16]!, { instanceOf: DomainError })).code, 'cancelled');
  const first = await Promise.race([asked[15], Promise.resolve('still waits')]);
  t.is(first, 'still waits', 'who leaves is answered before those who wait');
  const settled = await Promise.allSettled(asked);
  t.is(settled.filter(({ status }) => status === 'fulfilled').length, 16);
  t.is((await instead).maps.length, 1, 'who leaves makes room');
});

test.serial(
  'explanations that are kept wait however many they are, and streams take turns',
  async (t) => {
    const registry = await openExplainable(t, await createOnnxEngine({ threads: 1 }));
    const { explainer, release } = await registry.acquire('cells@1');
    t.teardown(release);
    const ended: string[] = [];
    const ask = async (streamId: string, priority: 'high' | 'normal' = 'normal') => {
      const wish = { streamId, priority, whenFull: 'keep' } as const;
      await explainer.explain({ pixels: frame, labelIndices: [0], ...wish });
      ended.push(streamId);
    };
    const flood = Array.from({ length: 64 }, () => ask('flood'));
    await Promise.all([ask('slow'), ask('slow'), ask('urgent', 'high')]);
    t.deepEqual(ended, ['flood', 'urgent', 'flood', 'slow', 'flood', 'slow']);
    await Promise.all(flood);
    t.is(ended.length, 67);
  },
);

test.serial(
  'an explanation makes room for one of a stream with fewer, and of its own for its newest',
  async (t) => {
    const registry = await openExplainable(t, await createOnnxEngine({ threads: 1 }));
    const { explainer, release } = await registry.acquire('cells@1');
    t.teardown(release);
    const ask = (streamId: string) =>
      explainer.explain({
        ...{ pixels: frame, labelIndices: [0], streamId, whenFull: 'dropOldest' },
      });
    const flood = Array.from({ length: 20 }, () => ask('flood'));
    const slow = ask('slow');
    const settled = await Promise.allSettled(flood);
    const shed = settled.flatMap((each, at) => (each.status === 'rejected' ? [at] : []));
    t.deepEqual(shed, [1, 2, 3, 4], 'the first was running; the oldest that waited went');
    for (const at of shed) {
      await t.throwsAsync(flood[at]!, {
        code: 'overloaded',
        message:
          /^expected at most 16 frames and 4096 bytes .*waiting for an explanation of cells@1$/,
      });
    }
    t.is((await slow).maps.length, 1);
  },
);

test.serial('explanations come back after the worker died', async (t) => {
  const workers: Worker[] = [];
  const engine = await createOnnxEngine(
    { threads: 1, restartDelayMs: 5 },
    {
      startWorker(settings) {
        const worker = startOnnxWorker(settings);
        workers.push(worker);
        return worker;
      },
    },
  );
  const registry = await openExplainable(t, engine);
  const { explainer, release } = await registry.acquire('cells@1');
  t.teardown(release);
  const { maps } = await explainer.explain({ pixels: frame, labelIndices: [1] });
  await workers[0]?.terminate();
  const again = await explainer.explain({ pixels: frame, labelIndices: [1] });
  t.deepEqual(again.maps, maps);
  t.is(workers.length, 2);
});

test.serial('where models run elsewhere, explanations run here, once somebody asks', async (t) => {
  let started = 0;
  const engine = withGraphs(createFakeEngine(), () => {
    started += 1;
    return createOnnxEngine({ threads: 1 });
  });
  t.is(
    withGraphs(engine, () => t.fail() as never),
    engine,
    'what runs graphs is left as it is',
  );
  const registry = await openExplainable(t, engine);
  const { explainer, batcher, release } = await registry.acquire('cells@1');
  t.teardown(release);
  await batcher.submit(frame);
  t.is(started, 0);
  const ask = () => explainer.explain({ pixels: frame, labelIndices: [2] });
  const [one, two] = await Promise.all([ask(), ask()]);
  t.deepEqual(one.maps, (await expectedMaps([2, 0, 0, 0])).slice(0, 1) as typeof one.maps);
  t.deepEqual(two.maps, one.maps);
  t.is(started, 1);
});
