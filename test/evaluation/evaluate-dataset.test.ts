import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openDataset } from '../../src/dataset/index.js';
import { DomainError } from '../../src/errors.js';
import {
  classifyDataset,
  evaluateDataset,
  formatReport,
  type ListedFrame,
  type ScoredVersion,
} from '../../src/evaluation/index.js';
import type { Frame } from '../../src/frames/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { writeSimulatedDataset } from '../../src/simulator/index.js';
import { makeFolder } from '../make-folder.js';

const labels = ['a', 'b'];
const handle: ScoredVersion = {
  manifest: { name: 'cells', version: 3, labels, thresholds: [0.5, 0.5] },
};

test('frames are scored in the order of the dataset, whatever order they are answered in', async (t) => {
  const frames = listed(40);
  const progress: number[] = [];
  const { report, rows } = await evaluateDataset(
    { dataset: datasetOf(labels), frames },
    { handle, readFrame, classifier: classifier({ isScrambled: true }) },
    { onProgress: (done, total) => progress.push(done / total), concurrency: 7 },
  );
  t.deepEqual(
    rows.map(({ id }) => id),
    frames.map(({ id }) => id),
  );
  t.is(report.frameCount, 40);
  t.is(report.exactMatch, 1);
  t.is(report.macroF1, 1);
  t.is(progress.length, 40);
  t.is(progress.at(-1), 1);
});

test('the share of frames unlike the training is reported where there are distances', async (t) => {
  const frames = listed(8);
  const given = classifier({});
  const version = { manifest: { ...handle.manifest, drift: { threshold: 1.5 } } };
  const collaborators = {
    handle: version,
    readFrame,
    classifier: {
      async classify(frame: Frame, ...rest: [ScoredVersion, object]) {
        const prediction = await given.classify(frame, ...rest);
        const isFar = frames.findIndex(({ id }) => id === frame.id) < 2;
        return { ...prediction, distance: isFar ? 1.6 : 1.5 };
      },
    },
  };
  const source = { dataset: datasetOf(labels), frames };
  const { report, rows } = await evaluateDataset(source, collaborators);
  t.deepEqual(report.drift, { threshold: 1.5, beyondShare: 2 / 8 });
  t.deepEqual(rows.map(({ distance }) => distance).slice(1, 3), [1.6, 1.5]);
  t.regex(formatReport(report), /unlike the training's, distance over 1\.50 +0\.250000/);

  const without = await evaluateDataset(source, { handle, readFrame, classifier: given });
  t.is(without.report.drift, undefined);
});

test('frames are read from the dataset, and one that has gone is named', async (t) => {
  const dir = await makeFolder(t);
  await writeSimulatedDataset(dir, { frameCount: 4, sizePx: 32, seed: 3 });
  const dataset = await openDataset(dir);
  const version = {
    manifest: { ...handle.manifest, labels: hpaLabels, thresholds: hpaLabels.map(() => 0.5) },
  };
  const sizes: number[] = [];
  const collaborators = {
    handle: version,
    classifier: {
      async classify(frame: Frame) {
        sizes.push(frame.planes.length);
        return answer(frame.id, new Float32Array(28));
      },
    },
  };
  const { report } = await evaluateDataset({ dataset, frames: dataset.frames }, collaborators);
  t.deepEqual(sizes, [4, 4, 4, 4]);
  t.is(report.binaryAccuracy, report.alwaysNoAccuracy);
  await rm(join(dir, 'train/sim_000002_blue.png'));
  await t.throwsAsync(() => evaluateDataset({ dataset, frames: dataset.frames }, collaborators), {
    code: 'dataset_invalid',
    message: /^1 of 4 frames .*sim_000002_blue\.png/,
  });
});

test('frames whose answers are not finite are named, after all others were tried', async (t) => {
  const right = classifier();
  let asked = 0;
  const collaborators = {
    handle,
    readFrame,
    classifier: {
      async classify(frame: Frame, ...rest: [ScoredVersion, object]) {
        asked += 1;
        if (frame.id === 'f2') throw new DomainError('answer_invalid', 'cells@3 gave NaN');
        return right.classify(frame, ...rest);
      },
    },
  };
  const frames = listed(5);
  const { rows, failures } = await classifyDataset(frames, collaborators);
  t.deepEqual(
    rows.map(({ id }) => id),
    ['f0', 'f1', 'f3', 'f4'],
  );
  t.deepEqual(failures, [{ id: 'f2', code: 'answer_invalid', message: 'cells@3 gave NaN' }]);
  await t.throwsAsync(
    () => evaluateDataset({ dataset: datasetOf(labels), frames }, collaborators),
    {
      code: 'answer_invalid',
      message: '1 of 5 frames could not be classified: frame "f2": cells@3 gave NaN',
    },
  );
  t.is(asked, 10);
});

test('no more frames are on their way at once than asked for', async (t) => {
  let inside = 0;
  let most = 0;
  const slow = classifier();
  await classifyDataset(
    listed(30),
    {
      handle,
      readFrame: async (frame: ListedFrame) => {
        inside += 1;
        most = Math.max(most, inside);
        return readFrame(frame);
      },
      classifier: {
        async classify(frame, version, options) {
          await new Promise(setImmediate);
          const prediction = await slow.classify(frame, version, options);
          inside -= 1;
          return prediction;
        },
      },
    },
    { concurrency: 4 },
  );
  t.is(most, 4);
});

test('a bad frame is named and does not stop the others', async (t) => {
  const { rows, failures } = await classifyDataset(listed(10), {
    handle,
    readFrame: badAt(4),
    classifier: classifier(),
  });
  t.is(rows.length, 9);
  t.deepEqual(failures, [{ id: 'f4', code: 'frame_invalid', message: 'expected 4 planes, got 3' }]);
});

test('an evaluation with bad frames fails and names them', async (t) => {
  await t.throwsAsync(
    () =>
      evaluateDataset(
        { dataset: datasetOf(labels), frames: listed(20) },
        { handle, readFrame: badAt(2, 3, 4, 5, 6, 7, 8), classifier: classifier() },
      ),
    {
      code: 'dataset_invalid',
      message:
        /^7 of 20 frames could not be classified: frame "f2": expected 4 planes, got 3; .*; and 2 more$/,
    },
  );
});

test('a fault of the model ends the evaluation at once', async (t) => {
  let asked = 0;
  await t.throwsAsync(
    () =>
      evaluateDataset(
        { dataset: datasetOf(labels), frames: listed(500) },
        {
          handle,
          readFrame,
          classifier: {
            async classify() {
              asked += 1;
              throw new DomainError('model_failed', 'the runtime refused');
            },
          },
        },
        { concurrency: 3 },
      ),
    { code: 'model_failed', message: 'the runtime refused' },
  );
  t.true(asked <= 3);
});

test('a frame refused for overload is offered again', async (t) => {
  const refused = new Map<string, number>();
  const pauses: number[] = [];
  const { rows } = await classifyDataset(listed(6), {
    handle,
    readFrame,
    pause: async (delayMs) => {
      pauses.push(delayMs);
    },
    classifier: {
      async classify(frame, version, options) {
        const times = refused.get(frame.id) ?? 0;
        refused.set(frame.id, times + 1);
        if (times < 2) throw new DomainError('overloaded', 'the queue is full');
        t.is(options.priority, 'low');
        return classifier().classify(frame, version, options);
      },
    },
  });
  t.is(rows.length, 6);
  t.deepEqual([...new Set(pauses)], [20, 40]);
});

test('a queue that stays full ends the evaluation with overloaded', async (t) => {
  await t.throwsAsync(
    () =>
      classifyDataset(listed(2), {
        handle,
        readFrame,
        pause: async () => {},
        classifier: {
          async classify() {
            throw new DomainError('overloaded', 'the queue is full');
          },
        },
      }),
    { code: 'overloaded' },
  );
});

test('an abort ends the evaluation with cancelled, and every frame hears of it', async (t) => {
  const stop = new AbortController();
  let heard = 0;
  await t.throwsAsync(
    () =>
      classifyDataset(
        listed(100),
        {
          handle,
          readFrame,
          classifier: {
            classify: (frame, _version, { signal }) =>
              new Promise((_resolve, reject) => {
                signal?.addEventListener('abort', () => {
                  heard += 1;
                  reject(signal.reason);
                });
                if (frame.id === 'f4') stop.abort();
              }),
          },
        },
        { signal: stop.signal, concurrency: 5 },
      ),
    { code: 'cancelled' },
  );
  t.is(heard, 5);
});

test('a dataset with other labels is refused before any frame is read', async (t) => {
  const never = { handle, readFrame: () => t.fail() as never, classifier: classifier() };
  await t.throwsAsync(
    () => evaluateDataset({ dataset: datasetOf(['a', 'c']), frames: listed(1) }, never),
    { code: 'verb_unfit', message: /label 1 is "c" and not "b"/ },
  );
  await t.throwsAsync(
    () => evaluateDataset({ dataset: datasetOf(['a']), frames: listed(1) }, never),
    { code: 'verb_unfit', message: /expected a dataset with the 2 labels of cells@3, got 1/ },
  );
  await t.throwsAsync(() => evaluateDataset({ dataset: datasetOf(labels), frames: [] }, never), {
    code: 'dataset_invalid',
  });
});

function datasetOf(of: readonly string[]) {
  return { path: 'nowhere', folder: 'train' as const, channels: [], labels: of };
}

function listed(count: number): readonly ListedFrame[] {
  return Array.from({ length: count }, (_, at) => ({ id: `f${at}`, labelIndices: [at % 2] }));
}

async function readFrame({ id }: ListedFrame): Promise<Frame> {
  return {
    id,
    widthPx: 1,
    heightPx: 1,
    pixelType: 'uint8',
    significantBits: 0,
    encoding: 'raw',
    planes: [],
  };
}

function badAt(...positions: readonly number[]) {
  return async (frame: ListedFrame): Promise<Frame> => {
    if (positions.includes(Number(frame.id.slice(1)))) {
      throw new DomainError('frame_invalid', 'expected 4 planes, got 3');
    }
    return readFrame(frame);
  };
}

/** Knows the right answer: the label is the parity of the frame's number. */
function classifier({ isScrambled = false } = {}) {
  return {
    async classify(frame: Frame, { manifest }: ScoredVersion, _options: object) {
      const at = Number(frame.id.slice(1));
      for (let turn = 0; isScrambled && turn < (at * 7) % 5; turn += 1) {
        await new Promise(setImmediate);
      }
      const probabilities = Float32Array.of(at % 2 === 0 ? 0.9 : 0.1, at % 2 === 0 ? 0.2 : 0.8);
      return { ...answer(frame.id, probabilities), version: manifest.version };
    },
  };
}

function answer(frameId: string, probabilities: Float32Array) {
  return {
    frameId,
    probabilities,
    labelIndices: [],
    version: 1,
    batchSize: 1,
    qualityFlags: [],
    timings: { prepareMs: 0, queueMs: 0, runMs: 0 },
  };
}
