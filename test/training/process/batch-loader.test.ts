import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { createBatchLoader } from '../../../src/training/process/batch-loader.js';
import type { BatchMaker } from '../../../src/training/process/batch-threads.js';
import { fillBatch } from '../../../src/training/process/fill-batch.js';
import type { FrameSet } from '../../../src/training/process/frame-set.js';
import { fileSource } from '../../../src/training/process/frame-source.js';
import type { StepBatch } from '../../../src/training/step-runner.js';
import { makeFolder } from '../../make-folder.js';
import { newSpec } from '../run-fixtures.js';
import { createSmallSet, smallShape } from './small-set.js';

const rows = [3, 0, 9, 1, 1, 7, 2, 8, 5, 4];

/** The same frames in files that are said to hold so many, from byte 5 on. */
async function inFile(t: ExecutionContext, count: number, said = count): Promise<FrameSet> {
  const set = createSmallSet(count);
  const path = join(await makeFolder(t), 'frames');
  writeFileSync(path, Buffer.concat([Buffer.alloc(5, 7), ...set.pixels]));
  // Two files, so that a batch has frames of both.
  const parts = [
    { descriptor: openSync(path, 'r'), firstByte: 5, frameCount: 4 },
    { descriptor: openSync(path, 'r'), firstByte: 5 + 4 * set.frameBytes, frameCount: said - 4 },
  ];
  const source = fileSource(parts, set.frameBytes);
  t.teardown(() => source.close());
  return { ...set, source };
}

async function load(
  t: ExecutionContext,
  set: FrameSet,
  { augmentation = 'cells', seed = 5, epoch = 1, from = 0, threads = 2 } = {},
): Promise<StepBatch[]> {
  const spec = newSpec({ batchSize: 4, seed, augmentation: augmentation as 'cells' | 'none' });
  const loader = createBatchLoader({ set, size: smallShape, spec, threads });
  t.teardown(() => loader.close());
  const batches: StepBatch[] = [];
  for await (const batch of loader.epoch(epoch, rows, from)) batches.push(batch);
  return batches;
}

test('without augmentation a batch is its frames, in the order of the rows', async (t) => {
  const { pixels, targets, frameBytes } = createSmallSet(10);
  for (const set of [createSmallSet(10), await inFile(t, 10)]) {
    const batches = await load(t, set, { augmentation: 'none' });
    t.deepEqual(
      batches.map(({ frameCount }) => frameCount),
      [4, 4, 2],
    );
    const all = Buffer.concat(batches.map((batch) => batch.pixels));
    for (const [at, row] of rows.entries()) {
      t.deepEqual([...all.subarray(at * frameBytes, (at + 1) * frameBytes)], [...pixels[row]!]);
    }
    t.deepEqual(
      batches.flatMap((batch) => [...batch.targets]),
      rows.flatMap((row) => [...targets.subarray(row * 3, row * 3 + 3)]),
    );
  }
});

test('threads that read a file make the batches that memory makes, varied or not', async (t) => {
  const file = await inFile(t, 10);
  for (const augmentation of ['none', 'cells']) {
    t.deepEqual(
      await load(t, file, { augmentation }),
      await load(t, createSmallSet(10), { augmentation }),
    );
  }
});

test('one thread or four make the same batches', async (t) => {
  const file = await inFile(t, 10);
  const [one, four] = [await load(t, file, { threads: 1 }), await load(t, file, { threads: 4 })];
  t.deepEqual(four, one);
});

test('variations change pixels and no label; each epoch, seed and place has its own', async (t) => {
  const set = createSmallSet(10);
  const [plain, varied] = [await load(t, set, { augmentation: 'none' }), await load(t, set)];
  t.deepEqual(
    varied.map(({ targets }) => targets),
    plain.map(({ targets }) => targets),
  );
  const bytes = (batches: StepBatch[]) => Buffer.concat(batches.map(({ pixels }) => pixels));
  t.notDeepEqual(bytes(varied), bytes(plain));
  t.notDeepEqual(bytes(await load(t, set, { epoch: 2 })), bytes(varied));
  t.notDeepEqual(bytes(await load(t, set, { seed: 6 })), bytes(varied));
  // Row 1 comes twice, at places 3 and 4.
  const { frameBytes } = set;
  const whole = bytes(varied);
  t.notDeepEqual(
    whole.subarray(3 * frameBytes, 4 * frameBytes),
    whole.subarray(4 * frameBytes, 5 * frameBytes),
  );
});

test('an epoch that is taken up in its middle goes on with the same batches', async (t) => {
  const file = await inFile(t, 10);
  t.deepEqual(await load(t, file, { from: 4 }), (await load(t, file)).slice(1));
});

/** Makes batches in this thread, and counts those that were ordered and those that are made. */
function createCountingMaker() {
  const count = { ordered: 0, made: 0, isClosed: false };
  const maker: BatchMaker = {
    async make(order) {
      count.ordered += 1;
      await setImmediate();
      count.made += 1;
      return fillBatch(order);
    },
    close: async () => {
      count.isClosed = true;
    },
  };
  return { count, maker };
}

test('while a step takes its time, the batches of the next call are made and two beside them', async (t) => {
  const set = createSmallSet(20);
  const rows = [...set.frames.keys()];
  for (const stepsPerCall of [1, 3]) {
    const { count, maker } = createCountingMaker();
    const spec = newSpec({ batchSize: 2 });
    const loader = createBatchLoader({ set, size: smallShape, spec, stepsPerCall }, maker);
    const batches = loader.epoch(1, rows, 0)[Symbol.asyncIterator]();
    for (let taken = 1; taken <= stepsPerCall; taken += 1) await batches.next();
    // A step holds all that comes after it; nothing is asked for meanwhile.
    while (count.made < count.ordered) await setImmediate();
    t.is(count.made, stepsPerCall + stepsPerCall + 2, `${stepsPerCall} steps a call`);
    // No more than that, however long it takes: their bytes are the bound of its memory.
    await setImmediate();
    t.is(count.ordered, stepsPerCall + stepsPerCall + 2);
    await loader.close();
    t.true(count.isClosed);
  }
});

test('frames in memory are made into batches by threads too, and stay as they are', async (t) => {
  const set = createSmallSet(10);
  const { kind } = set.source.share([0]);
  t.is(kind, 'memory');
  const inThisThread: StepBatch[] = [];
  const { count, maker } = createCountingMaker();
  const spec = newSpec({ batchSize: 4, seed: 5, augmentation: 'cells' });
  for await (const batch of createBatchLoader({ set, size: smallShape, spec }, maker).epoch(
    1,
    rows,
    0,
  )) {
    inThisThread.push(batch);
  }
  t.is(count.made, 3);
  t.deepEqual(await load(t, set), inThisThread);
  const frame = new Uint8Array(set.frameBytes);
  set.source.read(3, frame);
  t.deepEqual(frame, set.pixels[3]);
});

test('a file that is too short fails the batch that needs the rest', async (t) => {
  const file = await inFile(t, 8, 10);
  const error = await t.throwsAsync(load(t, { ...file, places: createSmallSet(10).places }));
  t.regex(error.message, /the cache of frames ends too soon: expected \d+ bytes, got \d+/);
});
