import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { type DatasetFrame, openDataset, splitDataset } from '../../src/dataset/index.js';
import { sharedData } from '../shared-data.js';

const plain = (count: number): DatasetFrame[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `f${index}`,
    labelIndices: [index % 3],
    group: null,
  }));
const ids = (frames: readonly DatasetFrame[]) => frames.map(({ id }) => id);
const defaults = { share: 1, trainingPart: 0.8, split: 'auto', seed: 1 } as const;

test('without groups the first 80 % train', (t) => {
  const { training, validation } = splitDataset({ frames: plain(10) }, defaults);
  t.deepEqual(ids(training), ids(plain(8)));
  t.deepEqual(ids(validation), ['f8', 'f9']);
});

test('a share keeps the first rows and then splits them', (t) => {
  const split = splitDataset({ frames: plain(20) }, { ...defaults, share: 0.5 });
  t.deepEqual(ids(split.training), ids(plain(8)));
  t.deepEqual(ids(split.validation), ['f8', 'f9']);
});

test('a group lies on one side, every frame is on one, in the order of the file', (t) => {
  const frame = fc.record({
    group: fc.option(fc.integer({ min: 0, max: 8 }).map(String)),
    labelIndices: fc.subarray([0, 1, 2, 3]),
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(frame, { minLength: 12, maxLength: 60 }), fc.nat(), (drawn, seed) => {
        const frames: DatasetFrame[] = drawn.map((one, index) => ({ ...one, id: `f${index}` }));
        fc.pre(new Set(frames.map(({ group, id }) => group ?? id)).size > 1);
        fc.pre(frames.some(({ group }) => group !== null));
        const split = { ...defaults, split: 'group', seed } as const;
        const { training, validation } = splitDataset({ frames }, split);
        const fields = new Set(training.map(({ group }) => group));
        const isApart = validation.every(({ group }) => group === null || !fields.has(group));
        const order = (part: readonly DatasetFrame[]) =>
          part.every((one, at) => at === 0 || frames.indexOf(one) > frames.indexOf(part[at - 1]!));
        return (
          isApart &&
          validation.length > 0 &&
          training.length + validation.length === frames.length &&
          order(training) &&
          order(validation)
        );
      }),
    ),
  );
});

test('the same seed draws the same groups, another draws others', (t) => {
  const frames = plain(60).map((frame, index) => ({ ...frame, group: `g${index >> 2}` }));
  const draw = (seed: number) => ids(splitDataset({ frames }, { ...defaults, seed }).validation);
  t.deepEqual(draw(5), draw(5));
  t.notDeepEqual(draw(5), draw(6));
});

test('a split by group without groups is refused, and so is an empty side', (t) => {
  const refused = { name: 'DomainError', code: 'option_invalid' } as const;
  t.throws(() => splitDataset({ frames: plain(9) }, { ...defaults, split: 'group' }), {
    ...refused,
    message: /expects a column Group/,
  });
  t.throws(() => splitDataset({ frames: plain(1) }, defaults), {
    ...refused,
    message: /leave 0 and 1 of 1/,
  });
  const one = plain(5).map((frame) => ({ ...frame, group: 'g' }));
  t.throws(() => splitDataset({ frames: one }, defaults), refused);
});

test('labels of real fields are spread over both sides', async (t) => {
  if (sharedData === null) {
    t.log('SKIPPED: no real frames here');
    t.pass();
    return;
  }
  const dataset = await openDataset(join(sharedData, 'hpa-cells'));
  for (const seed of [1, 2, 3]) {
    const { training, validation } = splitDataset(dataset, { ...defaults, seed });
    const share = validation.length / dataset.frames.length;
    // Labels are balanced before frames: fields differ in how many labels they have.
    t.true(Math.abs(share - 0.2) < 0.03, `${share} of the frames validate`);
    for (const label of [0, 2, 21, 23, 25]) {
      const has = (frame: DatasetFrame) => frame.labelIndices.includes(label);
      const there = validation.filter(has).length;
      const all = there + training.filter(has).length;
      // Fields have nine cells each: to the next whole field is as near as one can come.
      const off = Math.abs(there - 0.2 * all);
      t.true(off <= Math.max(9, 0.05 * all), `${there} of ${all} of label ${label} validate`);
    }
  }
});

test('what is held out takes part in nothing, the same groups whatever the seed', (t) => {
  const frames = Array.from({ length: 60 }, (_, index) => ({
    ...{ id: `f${index}`, labelIndices: [index % 3] },
    group: `g${Math.floor(index / 3)}`,
  }));
  const cut = (seed: number) => splitDataset({ frames }, { ...defaults, seed, heldOut: 0.2 });
  const { training, validation, heldOut } = cut(1);
  t.is(heldOut.length, 12);
  t.deepEqual([...ids(training), ...ids(validation), ...ids(heldOut)].sort(), ids(frames).sort());
  const fields = new Set(heldOut.map(({ group }) => group));
  t.is(fields.size, 4);
  t.false([...training, ...validation].some(({ group }) => fields.has(group)));
  t.deepEqual(cut(2).heldOut, heldOut);
  t.notDeepEqual(cut(2).training, training);
  // Nothing changes where nothing is held out.
  const { heldOut: none, ...parts } = splitDataset({ frames }, { ...defaults, heldOut: 0 });
  t.deepEqual(none, []);
  t.deepEqual({ ...parts, heldOut: [] }, splitDataset({ frames }, defaults));
});

test('without groups the last rows are held out', (t) => {
  const split = splitDataset({ frames: plain(10) }, { ...defaults, heldOut: 0.2 });
  t.deepEqual(ids(split.heldOut), ['f8', 'f9']);
  t.deepEqual(ids(split.training), ids(plain(6)));
  t.throws(() => splitDataset({ frames: plain(10) }, { ...defaults, heldOut: 0.01 }), {
    code: 'option_invalid',
    message: /frames to hold out, a part of 0\.01 of 10 frames is none/,
  });
});
