import {
  chmodSync,
  fstatSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openDataset } from '../../../src/dataset/index.js';
import { DomainError } from '../../../src/errors.js';
import { createPreparer, hpaChannels, type InputSpec } from '../../../src/frames/index.js';
import { createFrameCache, type FrameCache } from '../../../src/training/process/frame-cache.js';
import {
  createBatchBuffers,
  type FrameSet,
  framesOf,
  gatherBatch,
} from '../../../src/training/process/frame-set.js';
import { loadFrames } from '../../../src/training/process/load-frames.js';
import { makeFolder } from '../../make-folder.js';
import { writeSmallDataset } from '../small-dataset.js';

const inputSpec: InputSpec = { channels: hpaChannels, widthPx: 24, heightPx: 24, resize: 'area' };
const frameCount = 6;
const maxBytes = 1e6;

/** A dataset, a cache, and how often a frame was decoded for it. */
async function open(t: ExecutionContext) {
  const dataPath = await writeSmallDataset(join(await makeFolder(t), 'cells'), frameCount);
  const folder = join(await makeFolder(t), 'cache');
  const runFolder = await makeFolder(t);
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  const warnings: string[] = [];
  const warn = (message: string) => {
    warnings.push(message);
  };
  const cacheOf = (maxBytes: number) => createFrameCache({ folder, maxBytes }, { warn });
  const load = async (
    cache: FrameCache | null = cacheOf(maxBytes),
    spec: InputSpec = inputSpec,
    pick: (id: string) => boolean = () => true,
  ) => {
    const dataset = await openDataset(dataPath);
    let decoded = 0;
    const loadedCounts: number[] = [];
    const frames = dataset.frames.filter(({ id }) => pick(id));
    const set = await loadFrames(
      { dataset, frames, inputSpec: spec, inFlight: 3 },
      {
        preparer: {
          ...preparer,
          prepare: (...given) => {
            decoded += 1;
            return preparer.prepare(...given);
          },
        },
        places: cache && { cache, runFolder },
        warn,
        isStopRequested: () => false,
      },
      (loaded) => loadedCounts.push(loaded),
    );
    t.is(loadedCounts.at(-1), frames.length);
    t.teardown(() => set!.source.close());
    const rows = [5, 0, 3, 1, 4, 2].filter((row) => row < frames.length);
    const batch = gatherBatch(set!, rows, createBatchBuffers(set!, rows.length));
    return { set: set!, decoded, pixels: Buffer.from(batch.pixels), targets: [...batch.targets] };
  };
  const files = async () => (await readdir(folder)).filter((name) => name.endsWith('.frames'));
  return { dataPath, folder, runFolder, preparer, load, cacheOf, files, warnings };
}

/** From how many files a set is read; none where it is in memory. */
function filesOf({ source }: FrameSet): number {
  const shared = source.share([]);
  return shared.kind === 'files' ? shared.files.length : 0;
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

test('another input spec is decoded anew, and so is a frame with a plane that was written anew', async (t) => {
  const { load, files, dataPath } = await open(t);
  await load();
  t.is((await load(undefined, { ...inputSpec, resize: 'bilinear' })).decoded, 6);
  t.is((await load(undefined, { ...inputSpec, widthPx: 16 })).decoded, 6);
  t.is((await files()).length, 3);
  // The same bytes at another time: it might have been another picture.
  const plane = join(dataPath, 'train', 'cell3_green.png');
  const { atimeMs, mtimeMs } = statSync(plane);
  utimesSync(plane, atimeMs / 1000, mtimeMs / 1000 + 2);
  t.is((await load()).decoded, 1);
  t.is((await files()).length, 4);
  t.is((await load()).decoded, 0);
});

for (const how of ['in place', 'by another file'] as const) {
  test(`a plane that is replaced ${how} by one of the same size and time is not served from the cache`, async (t) => {
    const { load, dataPath } = await open(t);
    const before = await load();
    const [plane, other] = ['cell3_green.png', 'cell4_green.png'].map((name) =>
      join(dataPath, 'train', name),
    ) as [string, string];
    // A PNG ends with its last chunk: what follows makes two of one size.
    const sized = (path: string) => {
      const png = readFileSync(path);
      return Buffer.concat([png, Buffer.alloc(8192 - png.length)]);
    };
    const padded = sized(other);
    writeFileSync(plane, sized(plane));
    // Whole seconds, which every tool can set back.
    const time = new Date(1_700_000_000_000);
    utimesSync(plane, time, time);
    const whole = await load();
    t.deepEqual(whole.pixels, before.pixels);
    if (how === 'by another file') {
      writeFileSync(`${plane}.new`, padded);
      renameSync(`${plane}.new`, plane);
    } else writeFileSync(plane, padded);
    utimesSync(plane, time, time);
    t.like(statSync(plane), { size: padded.length, mtimeMs: time.getTime() });
    const after = await load();
    t.is(after.decoded, 1);
    t.notDeepEqual(after.pixels, before.pixels);
    t.deepEqual(after.pixels, (await load(null)).pixels);
    t.not(after.set.fingerprint, whole.set.fingerprint);
  });
}

test('the fingerprint is of ids, labels and bytes, wherever they lie and whether they are cached', async (t) => {
  const { load, dataPath } = await open(t);
  const { fingerprint } = (await load()).set;
  t.regex(fingerprint, /^[0-9a-f]{64}$/);
  t.is((await load()).set.fingerprint, fingerprint);
  t.is((await load(null)).set.fingerprint, fingerprint);
  // The same bytes in a new file.
  const plane = join(dataPath, 'train', 'cell3_green.png');
  const bytes = readFileSync(plane);
  writeFileSync(`${plane}.new`, bytes);
  renameSync(`${plane}.new`, plane);
  const again = await load();
  t.is(again.decoded, 1);
  t.is(again.set.fingerprint, fingerprint);
  t.not((await load(undefined, undefined, (id) => id !== 'cell2')).set.fingerprint, fingerprint);
  const table = join(dataPath, 'train.csv');
  writeFileSync(table, readFileSync(table, 'utf8').replace('cell1,25', 'cell1,24'));
  t.not((await load()).set.fingerprint, fingerprint);
  // Pixels are the same, of one byte more.
  writeFileSync(plane, Buffer.concat([bytes, Buffer.alloc(1)]));
  writeFileSync(table, readFileSync(table, 'utf8').replace('cell1,24', 'cell1,25'));
  t.not((await load()).set.fingerprint, fingerprint);
});

test('sets that share frames decode each of them once', async (t) => {
  const { load, files } = await open(t);
  const without = (out: string) => load(undefined, undefined, (id) => id !== out);
  t.is((await without('cell0')).decoded, 5);
  t.is((await without('cell1')).decoded, 1);
  t.is((await without('cell5')).decoded, 0);
  const all = await load();
  t.is(all.decoded, 0);
  t.deepEqual(all.pixels, (await load(null)).pixels);
  t.is((await files()).length, 2);
});

test('files that leave no room for what is missing give way to one that has all', async (t) => {
  const { load, cacheOf, files, folder } = await open(t);
  const onlyHalf = (id: string) => id < 'cell3';
  await load(undefined, undefined, onlyHalf);
  const bytes = await load().then(async () => {
    const sizes = (await files()).map((name) => statSync(join(folder, name)).size);
    return sizes.reduce((sum, size) => sum + size, 0);
  });
  // Two files have a header each, one has one: so much less is room for one alone.
  const cache = () => cacheOf(bytes - 1);
  await rm(folder, { recursive: true });
  await load(cache(), undefined, onlyHalf);
  t.is((await load(cache())).decoded, 6);
  t.is((await files()).length, 1);
  t.is((await load(cache())).decoded, 0);
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
  const { load, cacheOf, files, folder } = await open(t);
  const { set } = await load();
  const entryBytes = statSync(join(folder, (await files())[0]!)).size;
  const cache = () => cacheOf(2 * entryBytes + 10);
  const wide = { ...inputSpec, resize: 'bilinear' } as const;
  await load(cache(), wide);
  const [first, second] = (await files()).sort(
    (a, b) => statSync(join(folder, a)).mtimeMs - statSync(join(folder, b)).mtimeMs,
  );
  utimesSync(join(folder, first!), 1, 1);
  utimesSync(join(folder, second!), 2, 2);
  // Opening it is using it.
  t.is((await load(cache())).decoded, 0);
  await load(cache(), { ...inputSpec, widthPx: 12, heightPx: 48 });
  const left = await files();
  t.is(left.length, 2);
  t.true(left.includes(first!));
  t.false(left.includes(second!));
  // A run that still reads an evicted file goes on.
  await rm(join(folder, first!));
  t.notThrows(() => gatherBatch(set, [2], createBatchBuffers(set, 1)));
});

for (const room of [1000, 0]) {
  test(`frames that have no room in a cache of ${room} bytes go into a file of the run without a name`, async (t) => {
    const { load, cacheOf, folder, runFolder } = await open(t);
    const { decoded, set, pixels } = await load(cacheOf(room));
    t.is(decoded, 6);
    t.is(filesOf(set), 1);
    t.deepEqual(pixels, (await load(null)).pixels);
    t.deepEqual(await readdir(runFolder), []);
    await t.throwsAsync(readdir(folder), { code: 'ENOENT' });
  });
}

test('what the cache holds of a set that it has no room for is used, the rest goes to the run', async (t) => {
  const { load, cacheOf, files, folder } = await open(t);
  await load(undefined, undefined, (id) => id < 'cell3');
  const size = statSync(join(folder, (await files())[0]!)).size;
  const cache = cacheOf(size);
  const { decoded, pixels, set } = await load(cache);
  t.is(decoded, 3);
  t.is(filesOf(set), 2);
  t.deepEqual(pixels, (await load(null)).pixels);
  t.is((await files()).length, 1);
});

test('a disk that refuses the cache costs the cache and not the run', async (t) => {
  const { load, folder, runFolder, warnings } = await open(t);
  writeFileSync(folder, 'a file where the folder should be');
  chmodSync(folder, 0o444);
  const { set, decoded } = await load();
  t.is(decoded, 6);
  t.is(filesOf(set), 1);
  t.deepEqual(warnings, [
    'prepared frames go into a file of the run this time, the disk refuses them',
  ]);
  // Now the run's folder refuses as well.
  await rm(runFolder, { recursive: true });
  const last = await load();
  t.is(last.set.source.share([]).kind, 'memory');
  t.deepEqual(last.pixels, (await load(null)).pixels);
  t.is(warnings.at(-1), 'prepared frames go into memory this time, the disk refuses them');
});

const stays = 'a file that is not used stays in the cache of frames, the disk keeps it';

test('a damaged file that the disk does not let go costs nothing but its room', async (t) => {
  const { load, folder, warnings } = await open(t);
  await mkdir(join(folder, 'a folder.frames'), { recursive: true });
  t.is((await load()).decoded, 6);
  t.is((await load()).decoded, 0);
  t.deepEqual([...new Set(warnings)], [stays]);
});

test('prepared frames are kept although the disk does not let go all that has to make room', async (t) => {
  const { load, cacheOf, files, folder, warnings } = await open(t);
  await load(undefined, { ...inputSpec, resize: 'bilinear' });
  const [other] = await files();
  const entryBytes = statSync(join(folder, other!)).size;
  const stuck = 'a folder.frames';
  await mkdir(join(folder, stuck, 'in it'), { recursive: true });
  utimesSync(join(folder, stuck), 1, 1);
  t.is((await load(cacheOf(entryBytes))).decoded, 6);
  const left = await files();
  t.true(left.includes(stuck));
  t.false(left.includes(other!), 'what the disk lets go makes room');
  t.is((await load(cacheOf(entryBytes))).decoded, 0);
  t.deepEqual([...new Set(warnings)], [stays]);
});

const endings: Readonly<
  Record<string, (t: ExecutionContext, opened: Awaited<ReturnType<typeof open>>) => Promise<void>>
> = {
  'a stop': async (t, opened) => {
    const { set, areClosed } = await loadWatched(opened, { isStopRequested: () => true });
    t.is(await set, null);
    t.true(areClosed());
  },
  'a frame that cannot be read': async (t, opened) => {
    writeFileSync(join(opened.dataPath, 'train', 'cell5_green.png'), 'no picture');
    const { set, areClosed } = await loadWatched(opened, {});
    await t.throwsAsync(set, { code: 'dataset_invalid' });
    t.true(areClosed());
  },
  'a disk that refuses the rest': async (t, opened) => {
    await rm(opened.runFolder, { recursive: true });
    const create = () => Promise.reject(new DomainError('storage_failed', 'the disk is full'));
    const { set, areClosed } = await loadWatched(opened, { create });
    t.is(filesOf((await set)!), 0);
    t.true(areClosed());
  },
  'the end of its source': async (t, opened) => {
    const { set, areClosed } = await loadWatched(opened, {});
    const loaded = await set;
    t.false(areClosed());
    loaded?.source.close();
    t.true(areClosed());
  },
};
for (const [what, end] of Object.entries(endings)) {
  test(`${what} closes the files of the cache that were opened`, async (t) => {
    const opened = await open(t);
    await opened.load(undefined, undefined, (id) => id < 'cell3');
    await end(t, opened);
  });
}

/** Loads all frames, and tells whether the files of what was kept of them are closed. */
async function loadWatched(
  { dataPath, runFolder, preparer, cacheOf }: Awaited<ReturnType<typeof open>>,
  {
    isStopRequested = () => false,
    create,
  }: { readonly isStopRequested?: () => boolean; readonly create?: FrameCache['create'] },
) {
  const kept = cacheOf(maxBytes);
  const inodes = new Map<number, number>();
  const cache: FrameCache = {
    async open(wanted) {
      const packs = await kept.open(wanted);
      for (const { file } of packs) inodes.set(file.descriptor, fstatSync(file.descriptor).ino);
      return packs;
    },
    create: create ?? kept.create,
  };
  const dataset = await openDataset(dataPath);
  const set = loadFrames(
    { dataset, frames: dataset.frames, inputSpec, inFlight: 3 },
    { preparer, places: { cache, runFolder }, warn: () => undefined, isStopRequested },
    () => undefined,
  );
  return {
    set,
    areClosed() {
      if (inodes.size === 0) throw new Error('nothing was kept');
      // The number of a closed file may be another's by now.
      return [...inodes].every(([descriptor, inode]) => {
        try {
          return fstatSync(descriptor).ino !== inode;
        } catch {
          return true;
        }
      });
    },
  };
}

test('frames that are not finished are not there, and leave nothing', async (t) => {
  const folder = join(await makeFolder(t), 'cache');
  const cache = createFrameCache({ folder, maxBytes }, { warn: t.fail });
  const wanted = { keys: ['a'.repeat(64), 'b'.repeat(64)], frameBytes: 4 };
  const writer = await cache.create(wanted, []);
  await writer!.put(1, Uint8Array.of(1, 2, 3, 4), 'c'.repeat(64));
  t.deepEqual(await cache.open(wanted), []);
  await writer!.abandon();
  t.deepEqual(await readdir(folder), []);
});
