import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {
  type DatasetFrame,
  foldDataset,
  linkDataset,
  openDataset,
  readFrame,
} from '../../src/dataset/index.js';
import { writeSimulatedDataset } from '../../src/simulator/index.js';
import { makeFolder } from '../make-folder.js';

/** Frames of so many fields of view, of uneven sizes; a label a field and one in common. */
function framesOf(sizes: readonly number[]): readonly DatasetFrame[] {
  return sizes.flatMap((size, field) =>
    Array.from({ length: size }, (_, at) => ({
      id: `${field}-${at}`,
      labelIndices: at % 3 === 0 ? [0, 1 + (field % 4)] : [1 + (field % 4)],
      group: `${field}`,
    })),
  );
}

test('every frame is held out once, and groups never cross folds', (t) => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 6, maxLength: 30 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 2, max: 6 }), fc.nat(), (fieldSizes, folds, seed) => {
      const frames = framesOf(fieldSizes);
      const parts = foldDataset({ frames }, { folds, seed });
      t.is(parts.length, folds);
      const held = parts.flatMap(({ heldOut }) => heldOut.map(({ id }) => id));
      t.deepEqual(held.sort(), frames.map(({ id }) => id).sort());
      for (const { heldOut, rest } of parts) {
        t.true(heldOut.length > 0);
        t.is(heldOut.length + rest.length, frames.length);
        const groups = new Set(heldOut.map(({ group }) => group));
        t.false(rest.some(({ group }) => groups.has(group)));
      }
    }),
  );
});

test('as many folds as groups hold one group each, however uneven the groups are', (t) => {
  const frames = framesOf([8, 3, 4, 7, 1, 1]);
  const parts = foldDataset({ frames }, { folds: 6, seed: 603391617 });
  t.deepEqual(
    parts.map(({ heldOut }) => new Set(heldOut.map(({ group }) => group)).size),
    [1, 1, 1, 1, 1, 1],
  );
});

test('folds have about the same size and labels, by seed', (t) => {
  const frames = framesOf(Array.from({ length: 40 }, (_, field) => 3 + (field % 4)));
  const parts = foldDataset({ frames }, { folds: 5, seed: 3 });
  const share = frames.length / 5;
  for (const { heldOut } of parts) {
    t.true(Math.abs(heldOut.length - share) <= 6, `${heldOut.length} of ${share}`);
    for (const label of [0, 1, 2, 3, 4]) {
      t.true(heldOut.some(({ labelIndices }) => labelIndices.includes(label)));
    }
  }
  t.deepEqual(parts, foldDataset({ frames }, { folds: 5, seed: 3 }));
  t.notDeepEqual(parts, foldDataset({ frames }, { folds: 5, seed: 4 }));
});

test('more folds than groups, and one fold, are refused', (t) => {
  const frames = framesOf([4, 4]);
  const invalid = { code: 'option_invalid' };
  t.throws(() => foldDataset({ frames }, { folds: 3, seed: 1 }), invalid);
  t.throws(() => foldDataset({ frames }, { folds: 1, seed: 1 }), invalid);
});

test('a linked dataset has the frames, labels and groups that it was given, and their planes', async (t) => {
  const folder = await makeFolder(t);
  await writeSimulatedDataset(join(folder, 'all'), { frameCount: 4, sizePx: 32, seed: 1 });
  const all = await openDataset(join(folder, 'all'));
  const some = all.frames
    .filter((_, at) => at !== 1)
    .map((frame, at) => ({ ...frame, group: at === 0 ? null : 'field, "7"' }));
  await linkDataset(join(folder, 'fold'), all, some);
  const linked = await openDataset(join(folder, 'fold'));
  t.deepEqual(linked.frames, some);
  const [first] = linked.frames;
  if (first === undefined) throw new Error('no frame');
  t.deepEqual(await readFrame(linked, first), await readFrame(all, first));
});
