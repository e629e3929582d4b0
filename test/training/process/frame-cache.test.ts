import { chmodSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openDataset } from '../../../src/dataset/index.js';
import { createPreparer, hpaChannels, type InputSpec } from '../../../src/frames/index.js';
import {
  type CacheEntry,
  createFrameCache,
  type FrameCache,
} from '../../../src/training/process/frame-cache.js';
import {
  createBatchBuffers,
  framesOf,
  gatherBatch,
  loadFrames,
} from '../../../src/training/process/frame-set.js';
import { makeFolder } from '../../make-folder.js';
import { writeSmallDataset } from '../small-dataset.js';

const inputSpec: InputSpec = { channels: hpaChannels, widthPx: 24, heightPx: 24, resize: 'area' };
const frameCount = 6;
const maxBytes = 1e6;

/** A dataset, a cache, and how often a frame was decoded for it. */
async function open(t: ExecutionContext) {
  const dataPath = await writeSmallDataset(join(await makeFolder(t), 'cells'), frameCount);
  const folder = join(await makeFolder(t), 'cache');
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  const warnings: string[] = [];
  const load = async (
    cache: FrameCache | null = createFrameCache({ folder, maxBytes }),
    spec: InputSpec = inputSpec,
  ) => {
    const dataset = await openDataset(dataPath);
    let decoded = 0;
    const loadedCounts: number[] = [];
    const set = await loadFrames(
      { dataset, frames: dataset.frames, inputSpec: spec, inFlight: 3 },
      {
        preparer: {
          ...preparer,
          prepare: (...given) => {
            decoded += 1;
            return preparer.prepare(...given);
          },
        },
        cache,
        warn: (message) => warnings.push(message),
        isStopRequested: () => false,
      },
      (loaded) => loadedCounts.push(loaded),
    );
    t.is(loadedCounts.at(-1), frameCount);
    t.teardown(() => set!.source.close());
    const rows = [5, 0, 3, 1, 4, 2];
    const batch = gatherBatch(set!, rows, createBatchBuffers(set!, rows.length));
    return { set: set!, decoded, pixels: Buffer.from(batch.pixels), targets: [...batch.targets] };
  };
  const files = async () => (await readdir(folder)).filter((name) => name.endsWith('.frames'));
  return { dataPath, folder, load, files, warnings };
}

test('cached frames are the frames, and a second load decodes none', async (t) => {
  const { load, files } = await open(t);
  const uncached = await load(null);
  const [first, second] = [await load(), await load()];
  t.deepEqual([uncached.decoded, first.decoded, second.decoded], [6, 6, 0]);
  t.deepEqual(first.pixels, uncached.pixels);
  t.deepEqual(second.pixels, uncached.pixels);
  t.deepEqual(second.targets, uncached.targets);
  t.is((await files()).length, 1);
});

test('a part of a set keeps each frame with its pixels and labels', async (t) => {
  const { load } = await open(t);
  const { set } = await load();
  const part = framesOf(set, [4, 1]);
  const [some, all] = [
    gatherBatch(part, [0, 1], createBatchBuffers(part, 2)),
    gatherBatch(set, [4, 1], createBatchBuffers(set, 2)),
  ];
  t.deepEqual(some, all);
  t.deepEqual(
    part.frames.map(({ id }) => id),
    ['cell4', 'cell1'],
  );
});

test('another input spec and a plane written anew make an entry of their own', async (t) => {
  const { load, files, dataPath } = await open(t);
  await load();
  t.is((await load(undefined, { ...inputSpec, resize: 'bilinear' })).decoded, 6);
  t.is((await load(undefined, { ...inputSpec, widthPx: 16 })).decoded, 6);
  t.is((await files()).length, 3);
  // The same bytes at another time: it might have been another picture.
  const plane = join(dataPath, 'train', 'cell3_green.png');
  const { atimeMs, mtimeMs } = statSync(plane);
  utimesSync(plane, atimeMs / 1000, mtimeMs / 1000 + 2);
  t.is((await load()).decoded, 6);
  t.is((await files()).length, 4);
});

const damages: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'one flipped bit': async (path) => {
    const bytes = readFileSync(path);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    await writeFile(path, bytes);
  },
  'a cut end': (path) => truncate(path, statSync(path).size - 3),
  'nothing left': (path) => truncate(path, 0),
  'another header': async (path) => {
    const bytes = readFileSync(path);
    bytes[20]! ^= 1;
    await writeFile(path, bytes);
  },
};
for (const [what, damage] of Object.entries(damages)) {
  test(`a cache file with ${what} is noticed and made anew`, async (t) => {
    const { load, files, folder } = await open(t);
    const { pixels } = await load();
    await damage(join(folder, (await files())[0]!));
    const again = await load();
    t.is(again.decoded, 6);
    t.deepEqual(again.pixels, pixels);
    t.is((await load()).decoded, 0);
  });
}

test('two loads at once both get the frames, and leave one whole entry', async (t) => {
  const { load, files, folder } = await open(t);
  const [one, other] = await Promise.all([load(), load()]);
  t.deepEqual(one.pixels, other.pixels);
  t.deepEqual(await readdir(folder), await files());
  t.is((await load()).decoded, 0);
});

test('the cache stays within its bytes: the entry that was used longest ago goes', async (t) => {
  const { load, files, folder } = await open(t);
  const { set } = await load();
  const entryBytes = statSync(join(folder, (await files())[0]!)).size;
  const cache = createFrameCache({ folder, maxBytes: 2 * entryBytes + 10 });
  const wide = { ...inputSpec, resize: 'bilinear' } as const;
  await load(cache, wide);
  const [first, second] = (await files()).sort(
    (a, b) => statSync(join(folder, a)).mtimeMs - statSync(join(folder, b)).mtimeMs,
  );
  utimesSync(join(folder, first!), 1, 1);
  utimesSync(join(folder, second!), 2, 2);
  // Opening it is using it.
  t.is((await load(cache)).decoded, 0);
  await load(cache, { ...inputSpec, widthPx: 12, heightPx: 48 });
  const left = await files();
  t.is(left.length, 2);
  t.true(left.includes(first!));
  t.false(left.includes(second!));
  // A run that still reads an evicted file goes on.
  await rm(join(folder, first!));
  t.notThrows(() => gatherBatch(set, [2], createBatchBuffers(set, 1)));
});

test('frames that are more than the cache may hold stay in memory', async (t) => {
  const { load, folder } = await open(t);
  const { decoded, set } = await load(createFrameCache({ folder, maxBytes: 1000 }));
  t.is(decoded, 6);
  t.is(set.source.share([]).kind, 'memory');
  await t.throwsAsync(readdir(folder), { code: 'ENOENT' });
});

test('a disk that refuses the cache costs the cache and not the run', async (t) => {
  const { load, folder, warnings } = await open(t);
  writeFileSync(folder, 'a file where the folder should be');
  chmodSync(folder, 0o444);
  const { set, decoded } = await load();
  t.is(decoded, 6);
  t.is(set.source.share([]).kind, 'memory');
  t.deepEqual(warnings, ['frames are kept in memory, the cache cannot be used']);
});

test('an entry that is not finished is not there, and leaves nothing', async (t) => {
  const folder = join(await makeFolder(t), 'cache');
  const cache = createFrameCache({ folder, maxBytes });
  const entry: CacheEntry = { key: 'a'.repeat(64), frameCount: 2, frameBytes: 4 };
  const writer = await cache.create(entry);
  await writer!.put(1, Uint8Array.of(1, 2, 3, 4));
  t.is(await cache.open(entry), null);
  await writer!.abandon();
  t.deepEqual(await readdir(folder), []);
});
