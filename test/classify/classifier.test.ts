import test from 'ava';
import { createBatcher } from '../../src/batching/index.js';
import { createClassifier, type Lent } from '../../src/classify/index.js';
import { createFakeEngine, fakeProbabilities } from '../../src/engines/index.js';
import { DomainError } from '../../src/errors.js';
import { createPreparer, type Frame, type Preparer } from '../../src/frames/index.js';
import { createPuppetRun, settle, tensorOf, watch } from '../batching/puppet-run.js';
import { createFakeClock } from '../fake-clock.js';

const inputSpec = {
  channels: ['microtubules', 'protein', 'nucleus', 'endoplasmic_reticulum'],
  widthPx: 4,
  heightPx: 4,
  resize: 'bilinear',
} as const;

const frameOf = (id: string, level: number): Frame => ({
  id,
  widthPx: 4,
  heightPx: 4,
  pixelType: 'uint8',
  significantBits: 0,
  encoding: 'raw',
  // In another order than the model's: the roles decide.
  planes: inputSpec.channels.toReversed().map((channel, index) => ({
    channel,
    bytes: new Uint8Array(16).fill(level + index),
  })),
});

const tensorOfFrame = (level: number) =>
  Uint8Array.from({ length: 64 }, (_, at) => level + 3 - Math.floor(at / 16));

test('a frame is prepared, batched and answered with the labels at or above their threshold', async (t) => {
  const session = await createFakeEngine({ runMs: 2 }).load({
    model: new Uint8Array(),
    inputShape: [4, 4, 4],
    labelCount: 6,
  });
  const batcher = createBatcher({ batchSizes: [1, 4] }, session);
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  const classifier = createClassifier({ preparer });
  const levels = [0, 20, 40, 60, 80];
  const predictions = await Promise.all(
    levels.map((level) => {
      const expected = fakeProbabilities(tensorOfFrame(level), 6);
      // At the threshold counts, one float below does not.
      const thresholds = [...expected].map((value, label) => (label % 2 ? value + 1e-6 : value));
      const lent: Lent = {
        manifest: { name: 'cells', version: 3, thresholds, inputSpec },
        batcher,
      };
      return classifier.classify(frameOf(`frame ${level}`, level), lent);
    }),
  );
  for (const [index, prediction] of predictions.entries()) {
    const level = levels[index] ?? 0;
    t.is(prediction.frameId, `frame ${level}`);
    t.is(prediction.version, 3);
    t.deepEqual(prediction.probabilities, fakeProbabilities(tensorOfFrame(level), 6));
    t.deepEqual(prediction.labelIndices, [0, 2, 4]);
    t.is(prediction.timings.runMs, 2);
    t.true(prediction.timings.prepareMs >= 0 && prediction.timings.queueMs >= 0);
  }
  await batcher.close();
});

/** A preparer that the test ends; honours its signal as the real one does. */
function setUp() {
  const clock = createFakeClock();
  const puppet = createPuppetRun();
  const batcher = createBatcher({ batchSizes: [1] }, { run: puppet.run, clock });
  const prepared: ((number: number) => void)[] = [];
  const preparer: Pick<Preparer, 'prepare'> = {
    prepare: (_frame, _spec, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) reject(signal.reason);
        signal?.addEventListener('abort', () => reject(signal.reason));
        prepared.push((number) => resolve({ pixels: tensorOf(number), qualityFlags: ['dim'] }));
      }),
  };
  const classifier = createClassifier({ preparer, clock });
  const manifest = { name: 'cells', version: 1, thresholds: [0.5, 0.5], inputSpec };
  return { clock, puppet, prepared, classifier, lent: { manifest, batcher } };
}

test('a hundred frames of one stream may wait on one signal without a warning', async (t) => {
  const { puppet, prepared, classifier, lent } = setUp();
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const { signal } = new AbortController();
  const frames = Array.from({ length: 100 }, (_, index) =>
    watch(classifier.classify(frameOf(`${index}`, 0), lent, { signal })),
  );
  for (const [index, finish] of prepared.entries()) finish(index + 1);
  await settle();
  t.is(lent.batcher.queuedFrames, 99);
  while (puppet.isOpen) {
    puppet.oldest().answer();
    await settle();
  }
  t.true(frames.every(({ value, settled }) => settled === 1 && value));
  t.deepEqual(warnings, []);
});

test('times are taken at the borders', async (t) => {
  const { clock, puppet, prepared, classifier, lent } = setUp();
  const first = classifier.classify(frameOf('a', 0), lent);
  clock.advance(5);
  prepared[0]?.(1);
  await settle();
  const second = classifier.classify(frameOf('b', 0), lent);
  prepared[1]?.(2);
  await settle();
  clock.advance(6);
  puppet.last().answer(6);
  await first;
  await settle();
  clock.advance(4);
  puppet.last().answer(4);
  t.deepEqual((await first).timings, { prepareMs: 5, queueMs: 0, runMs: 6 });
  t.deepEqual((await second).timings, { prepareMs: 0, queueMs: 6, runMs: 4 });
  t.deepEqual((await second).qualityFlags, ['dim']);
});

test('a deadline ends a frame while it is prepared, while it waits, and before it begins', async (t) => {
  const { clock, prepared, classifier, lent } = setUp();
  const at = (ms: number) => ({ deadlineAtMs: clock.now() + ms });
  const preparing = watch(classifier.classify(frameOf('a', 0), lent, at(10)));
  clock.advance(10);
  await settle();
  t.like(preparing.error, { code: 'deadline' });

  void classifier.classify(frameOf('b', 0), lent);
  prepared[1]?.(1);
  await settle();
  const waiting = watch(classifier.classify(frameOf('c', 0), lent, at(10)));
  prepared[2]?.(2);
  await settle();
  t.is(lent.batcher.queuedFrames, 1);
  clock.advance(10);
  await settle();
  t.like(waiting.error, { code: 'deadline' });
  t.is(lent.batcher.queuedFrames, 0);

  await t.throwsAsync(classifier.classify(frameOf('d', 0), lent, at(0)), { code: 'deadline' });
  t.is(prepared.length, 3, 'it was not prepared');
});

test('a caller who leaves takes the frame out of preparation and out of the queue', async (t) => {
  const { clock, puppet, prepared, classifier, lent } = setUp();
  const leave = new AbortController();
  const options = { signal: leave.signal, deadlineAtMs: clock.now() + 1000 };
  void classifier.classify(frameOf('a', 0), lent);
  prepared[0]?.(1);
  await settle();
  const preparing = watch(classifier.classify(frameOf('b', 0), lent, options));
  const waiting = watch(classifier.classify(frameOf('c', 0), lent, options));
  prepared[2]?.(3);
  await settle();
  t.is(lent.batcher.queuedFrames, 1);
  leave.abort();
  await settle();
  t.is(preparing.settled, 1);
  t.like(waiting.error, { code: 'cancelled' });
  t.is(lent.batcher.queuedFrames, 0);
  puppet.last().answer();
  await settle();
  t.is(puppet.calls.length, 1);
  t.is(clock.waiting, 0, 'no timer is left');
});

test('a frame that cannot be in time is refused before it is prepared', async (t) => {
  const { clock, puppet, prepared, classifier, lent } = setUp();
  void classifier.classify(frameOf('a', 0), lent);
  prepared[0]?.(1);
  await settle();
  puppet.last().answer(50);
  await settle();
  const late = { deadlineAtMs: clock.now() + 49 };
  await t.throwsAsync(classifier.classify(frameOf('b', 0), lent, late), {
    code: 'deadline',
    message: /cannot be met/,
  });
  t.is(prepared.length, 1);
  t.is(clock.waiting, 0, 'no timer is left');
  void classifier.classify(frameOf('c', 0), lent, { deadlineAtMs: clock.now() + 50 });
  await settle();
  t.is(prepared.length, 2);
});

/** A version that explains: label `i` has the map `[0, i]`, and nothing speaks for label 0. */
async function explainable() {
  const session = await createFakeEngine().load({
    model: new Uint8Array(),
    inputShape: [4, 4, 4],
    labelCount: 3,
  });
  const asked: (readonly number[])[] = [];
  const box = { left: 0.25, top: 0, right: 0.75, bottom: 1 };
  const lent: Lent = {
    manifest: {
      name: 'cells',
      version: 3,
      labels: ['a', 'b', 'c'],
      thresholds: [0, 2, 0],
      inputSpec,
    },
    batcher: createBatcher({ batchSizes: [1] }, session),
    explainer: {
      assertExplains() {},
      async explain({ pixels, labelIndices, signal }) {
        signal?.throwIfAborted();
        asked.push(labelIndices);
        return {
          embedding: Float32Array.of(pixels.length, 7),
          maps: labelIndices.map((label) => Float32Array.of(0, label)),
          spec: { embeddingSize: 2, heightPx: 1, widthPx: 2, box },
          runMs: 5,
        };
      },
    },
  };
  return { lent, asked, box };
}

test('a frame is explained as it asks: named labels first, then those given', async (t) => {
  const { lent, asked, box } = await explainable();
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  const classifier = createClassifier({ preparer });
  const all = { labels: ['c', 'b'], givenLabels: true, embedding: true };
  const { explanation } = await classifier.classify(frameOf('a', 1), lent, { explain: all });
  // Label 1 is not given: its threshold is 2. Label 2 is named and given, and comes once.
  t.deepEqual(asked, [[2, 1, 0]]);
  t.deepEqual(
    explanation?.maps.map(({ labelIndex, peak, levels }) => [labelIndex, peak, ...levels]),
    [
      [2, 2, 0, 255],
      [1, 1, 0, 255],
      [0, 0, 0, 0],
    ],
  );
  t.like(explanation?.maps[0], { widthPx: 2, heightPx: 1, box });
  t.deepEqual(explanation?.embedding, Float32Array.of(64, 7));
  t.is(explanation?.runMs, 5);

  const few = { labels: [], givenLabels: false, embedding: false };
  const quiet = await classifier.classify(frameOf('b', 1), lent, { explain: few });
  t.is(quiet.explanation?.embedding.length, 0);
  const none = await classifier.classify(frameOf('c', 1), lent);
  t.is(none.explanation, undefined);
  t.is(asked.length, 2, 'who does not ask pays nothing');
});

test('what cannot be explained is refused before the frame is prepared', async (t) => {
  const { lent } = await explainable();
  const preparer: Pick<Preparer, 'prepare'> = {
    prepare: () => Promise.reject(new Error('it was prepared')),
  };
  const classifier = createClassifier({ preparer });
  const wish = { labels: ['c', 'z'], givenLabels: false, embedding: false };
  const unknown = await t.throwsAsync(
    classifier.classify(frameOf('a', 1), lent, { explain: wish }),
    { instanceOf: DomainError },
  );
  t.is(unknown.code, 'option_invalid');
  t.is(unknown.message, 'explain: expected labels of the model, got "z"');
  const { explainer: _, ...unexplained } = lent;
  const nobody = await t.throwsAsync(
    classifier.classify(frameOf('a', 1), unexplained, { explain: wish }),
    { instanceOf: DomainError },
  );
  t.is(nobody.code, 'unsupported');
});

/** A raw frame of twice the model's size, even in each plane. */
const largeFrame = (level: number): Frame => {
  const frame = frameOf('large', level);
  const planes = frame.planes.map(({ channel, bytes }) => {
    return { channel, bytes: new Uint8Array(64).fill(bytes[0] ?? 0) };
  });
  return { ...frame, widthPx: 8, heightPx: 8, planes };
};

test('a frame for which there is a lane goes as it came, and the lane is given back', async (t) => {
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  const classifier = createClassifier({ preparer });
  const engine = createFakeEngine();
  const own = await engine.load({ model: new Uint8Array(), inputShape: [4, 4, 4], labelCount: 2 });
  const raw = await engine.load({ model: new Uint8Array(), inputShape: [4, 8, 8], labelCount: 2 });
  const released: (DomainError | undefined)[] = [];
  const lane = {
    batcher: createBatcher({ batchSizes: [1] }, raw),
    release: (failure?: DomainError) => void released.push(failure),
  };
  const lent: Lent = {
    manifest: { name: 'cells', version: 1, thresholds: [0, 0], inputSpec },
    batcher: createBatcher({ batchSizes: [1] }, own),
    rawLanes: { laneFor: ({ widthPx }) => (widthPx === 8 ? lane : null) },
  };
  const { probabilities, qualityFlags } = await classifier.classify(largeFrame(9), lent);
  const asItCame = Uint8Array.from({ length: 256 }, (_, at) => 9 + 3 - Math.floor(at / 64));
  t.deepEqual(probabilities, fakeProbabilities(asItCame, 2));
  t.deepEqual(qualityFlags, ['plane_empty']);
  t.deepEqual(released, [undefined]);
  const other = await classifier.classify(frameOf('small', 9), lent);
  t.deepEqual(other.probabilities, fakeProbabilities(tensorOfFrame(9), 2));
  t.is(released.length, 1);
});

test('where the graph of a lane fails, the same frame goes by the CPU, and the lane hears why', async (t) => {
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  const classifier = createClassifier({ preparer });
  const own = await createFakeEngine().load({
    model: new Uint8Array(),
    inputShape: [4, 4, 4],
    labelCount: 2,
  });
  const released: (DomainError | undefined)[] = [];
  const lentWith = (error: DomainError): Lent => ({
    manifest: { name: 'cells', version: 1, thresholds: [0, 0], inputSpec },
    batcher: createBatcher({ batchSizes: [1] }, own),
    rawLanes: {
      laneFor: () => ({
        batcher: { submit: () => Promise.reject(error), assertInTime() {} },
        release: (failure) => void released.push(failure),
      }),
    },
  });
  const full = new DomainError('model_failed', 'the device has no memory left');
  const { probabilities } = await classifier.classify(largeFrame(9), lentWith(full));
  t.deepEqual(probabilities, fakeProbabilities(tensorOfFrame(9), 2));
  t.deepEqual(released, [full]);
  const ended = new DomainError('draining', 'the lane is being ended');
  const after = await classifier.classify(largeFrame(9), lentWith(ended));
  t.deepEqual(after.probabilities, probabilities);
  t.deepEqual(released.splice(1), [undefined]);
  // What is no fault of the lane is the frame's answer.
  const late = new DomainError('deadline', 'too late');
  await t.throwsAsync(classifier.classify(largeFrame(9), lentWith(late)), { is: late });
  t.deepEqual(released, [full, undefined]);
});

test('a frame whose answer is not finite fails alone, and nothing is explained for it', async (t) => {
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  const classifier = createClassifier({ preparer });
  // Of each row the first probability and the distance; frames are told apart by their level.
  const rows: Readonly<Record<number, readonly [number, number]>> = {
    1: [0.5, 1],
    2: [Number.NaN, 1],
    3: [Number.POSITIVE_INFINITY, 1],
    4: [0.5, Number.NaN],
    5: [0.25, 2],
  };
  const sizes: number[] = [];
  const batcher = createBatcher(
    { batchSizes: [8], maxDelayMs: 1 },
    {
      async run(input, batchSize) {
        sizes.push(batchSize);
        const levels = Array.from({ length: batchSize }, (_, row) => (input[row * 64] ?? 0) - 3);
        const given = levels.map((level) => rows[level] ?? [0, 0]);
        return {
          probabilities: Float32Array.from(given.flatMap(([first]) => [0.75, first])),
          distances: Float32Array.from(given.map(([, distance]) => distance)),
          input,
          runMs: 1,
        };
      },
    },
  );
  let explained = 0;
  const lent: Lent = {
    manifest: { name: 'cells', version: 3, labels: ['a', 'b'], thresholds: [0.5, 0.5], inputSpec },
    batcher,
    explainer: {
      assertExplains() {},
      async explain() {
        explained += 1;
        const box = { left: 0, top: 0, right: 1, bottom: 1 };
        const spec = { embeddingSize: 1, heightPx: 1, widthPx: 1, box };
        return { embedding: Float32Array.of(1), maps: [], spec, runMs: 1 };
      },
    },
  };
  const explain = { labels: [], givenLabels: false, embedding: true };
  const ended = await Promise.allSettled(
    [1, 2, 3, 4, 5].map((level) =>
      classifier.classify(frameOf(`${level}`, level), lent, { explain }),
    ),
  );
  t.deepEqual(sizes, [8], 'all were in one batch');
  const told = ended.map((end) =>
    end.status === 'fulfilled'
      ? [...end.value.probabilities]
      : `${DomainError.from(end.reason).code}: ${DomainError.from(end.reason).message}`,
  );
  const fault = (what: string) =>
    `answer_invalid: expected finite numbers, cells@3 gave ${what}: use another version, or --precision full where it is served in half`;
  t.deepEqual(told, [
    [0.75, 0.5],
    fault('NaN for label 2 of 2'),
    fault('Infinity for label 2 of 2'),
    fault('NaN for its distance'),
    [0.75, 0.25],
  ]);
  t.is(explained, 2);
});

test('a lane whose answer to one frame is not finite stays of use', async (t) => {
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  const classifier = createClassifier({ preparer });
  const released: (DomainError | undefined)[] = [];
  const row = { probabilities: Float32Array.of(Number.NaN), batchSize: 1, queueMs: 0, runMs: 0 };
  const lent: Lent = {
    manifest: { name: 'cells', version: 1, thresholds: [0], inputSpec },
    batcher: { submit: () => t.fail() as never, assertInTime() {} },
    rawLanes: {
      laneFor: () => ({
        batcher: { submit: async () => row, assertInTime() {} },
        release: (failure) => void released.push(failure),
      }),
    },
  };
  await t.throwsAsync(classifier.classify(largeFrame(9), lent), { code: 'answer_invalid' });
  t.deepEqual(released, [undefined]);
});
