import test, { type ExecutionContext } from 'ava';
import {
  type DatasetFrame,
  type DatasetSplit,
  frameKeys,
  openDataset,
  type SplitOptions,
  splitDataset,
} from '../../../src/dataset/index.js';
import type { SeenFrames } from '../../../src/models/index.js';
import { splitAfterParent } from '../../../src/training/process/split-after-parent.js';
import { writeDataset } from '../../dataset/dataset-folder.js';

type OpenedSet = Awaited<ReturnType<typeof openFields>>;

const options: SplitOptions = { share: 1, trainingPart: 0.6, split: 'auto', seed: 1 };

/** Fields of three frames, the first `count` of one and the same set. */
async function openFields(t: ExecutionContext, count: number) {
  const names = Array.from({ length: 3 * count }, (_, at) => `cell${at}`);
  const rows = names.map((id, at) => `${id},${at % 4},field${Math.floor(at / 3)}`);
  return openDataset(await writeDataset(t, ['Id,Target,Group', ...rows].join('\n'), names));
}

async function seenBy(dataset: OpenedSet, split: DatasetSplit): Promise<SeenFrames> {
  const [training, validation, heldOut] = await Promise.all(
    [split.training, split.validation, split.heldOut].map((part) => frameKeys(dataset, part)),
  );
  return {
    ...{ training: training ?? [], validation: validation ?? [], heldOut: heldOut ?? [] },
    isParentUnknown: false,
  };
}

/** A version that was trained on a set with these options. */
async function parentOf(dataset: OpenedSet, given: Partial<SplitOptions> = {}) {
  const split = splitDataset(dataset, { ...options, ...given });
  return { ref: 'cells@1', seen: await seenBy(dataset, split), split };
}

const ids = (frames: readonly DatasetFrame[]) => frames.map(({ id }) => id);
const fieldsOf = (frames: readonly DatasetFrame[]) => new Set(frames.map(({ group }) => group));
const areApart = (some: readonly DatasetFrame[], others: readonly DatasetFrame[]) => {
  const fields = fieldsOf(others);
  return [...fieldsOf(some)].every((field) => !fields.has(field));
};

test('nothing is moved where the child has the frames, split and seed of its parent', async (t) => {
  const dataset = await openFields(t, 30);
  const { split, ...parent } = await parentOf(dataset, { heldOut: 0.2 });
  t.deepEqual(await splitAfterParent(dataset, { ...options, heldOut: 0.2 }, parent), {
    split,
    movedFrames: 0,
  });
});

test('whatever the seed, no field that trained the parent validates, and no frame is lost', async (t) => {
  const dataset = await openFields(t, 60);
  const { split: before, ...parent } = await parentOf(dataset);
  for (const seed of [2, 3, 4, 5, 6]) {
    const asked = splitDataset(dataset, { ...options, seed });
    t.false(areApart(asked.validation, before.training), 'there is something to move');
    const { split, movedFrames } = await splitAfterParent(dataset, { ...options, seed }, parent);
    t.true(areApart(split.validation, before.training));
    t.true(areApart(split.validation, split.training));
    t.is(movedFrames, asked.validation.length - split.validation.length);
    const own = new Set([...split.training, ...split.validation]);
    t.is(split.training.length + split.validation.length, dataset.frames.length);
    t.is(own.size, dataset.frames.length);
    t.deepEqual(
      split.training,
      dataset.frames.filter((frame) => split.training.includes(frame)),
    );
  }
});

test('a set that gained fields validates on none that the parent was trained on', async (t) => {
  const { split: before, ...parent } = await parentOf(await openFields(t, 40));
  const grown = await openFields(t, 60);
  t.false(areApart(splitDataset(grown, options).validation, before.training));
  const { split, movedFrames } = await splitAfterParent(grown, options, parent);
  t.true(movedFrames > 0);
  t.true(areApart(split.validation, before.training));
});

test('a field of which the parent knows one frame trains as a whole, also where rows are cut', async (t) => {
  const dataset = await openFields(t, 20);
  const seen = await seenBy(dataset, {
    training: dataset.frames.filter(({ id }) => id === 'cell58'),
    ...{ validation: [], heldOut: [] },
  });
  const byRows = { ...options, split: 'first' } as const;
  const asked = splitDataset(dataset, byRows);
  const { split } = await splitAfterParent(dataset, byRows, { ref: 'cells@1', seen });
  t.deepEqual(ids(asked.validation).slice(-3), ['cell57', 'cell58', 'cell59']);
  t.deepEqual(split.validation, asked.validation.slice(0, -3));
  t.deepEqual(split.training, [...asked.training, ...asked.validation.slice(-3)]);
});

test('what the parent has seen is not put aside: it trains or validates as it did there', async (t) => {
  const dataset = await openFields(t, 60);
  const holding = { ...options, heldOut: 0.5 };
  const asked = splitDataset(dataset, holding);
  const [trained = [], chose = [], rest = []] = [0, 1, 2].map((part) =>
    asked.heldOut.filter(({ group }) => Number(group?.slice(5)) % 3 === part),
  );
  // Of each of the fields that chose, one frame did.
  const first = chose.filter(({ id }) => Number(id.slice(4)) % 3 === 0);
  t.true(trained.length > 0 && first.length > 0 && rest.length > 0);
  const seen = await seenBy(dataset, { training: trained, validation: first, heldOut: rest });
  const parent = { ref: 'cells@1', seen };
  const { split, movedFrames } = await splitAfterParent(dataset, holding, parent);
  t.deepEqual(split.heldOut, rest);
  t.is(movedFrames, trained.length + chose.length);
  const inOrder = (frames: readonly DatasetFrame[]) =>
    dataset.frames.filter((frame) => frames.includes(frame));
  t.deepEqual(split.training, inOrder([...asked.training, ...trained]));
  t.deepEqual(split.validation, inOrder([...asked.validation, ...chose]));
});

test('too few frames to validate on are refused with what to do', async (t) => {
  const dataset = await openFields(t, 20);
  const all = splitDataset(dataset, options);
  const parentOn = async (validated: number) => ({
    ref: 'cells@1',
    seen: await seenBy(dataset, {
      training: all.validation.slice(validated),
      ...{ validation: [], heldOut: [] },
    }),
  });
  t.is(all.validation.length, 21);
  // Whole fields: of three frames each.
  await t.throwsAsync(splitAfterParent(dataset, options, await parentOn(9)), {
    code: 'option_invalid',
    message:
      'expected validation frames that cells@1 was not trained on, nor on others of their fields of view: it was on 12 of 21, the 9 that are left are too few; take the frames, split and seed that it was trained with, a smaller training part, or more frames',
  });
  await t.throwsAsync(splitAfterParent(dataset, options, await parentOn(0)), {
    message: /: it was on 21 of 21, the 0 that are left are too few; /,
  });
  const { split } = await splitAfterParent(dataset, options, await parentOn(12));
  t.is(split.validation.length, 12);
});

test('a set that is small by itself has enough with half of its few validation frames', async (t) => {
  const dataset = await openFields(t, 6);
  const asked = splitDataset(dataset, options);
  t.is(asked.validation.length, 9);
  const splitWith = async (left: number) => {
    const training = asked.validation.slice(left);
    const seen = await seenBy(dataset, { training, validation: [], heldOut: [] });
    return splitAfterParent(dataset, options, { ref: 'cells@1', seen });
  };
  t.deepEqual((await splitWith(6)).split.validation, asked.validation.slice(0, 6));
  await t.throwsAsync(splitWith(3), { message: /: it was on 6 of 9, the 3 that are left/ });
});

test('nothing is held out that the parent has seen all of', async (t) => {
  const dataset = await openFields(t, 30);
  const holding = { ...options, heldOut: 0.2 };
  const { heldOut } = splitDataset(dataset, holding);
  const seen = await seenBy(dataset, { training: heldOut, validation: [], heldOut: [] });
  await t.throwsAsync(splitAfterParent(dataset, holding, { ref: 'cells@1', seen }), {
    code: 'option_invalid',
    message:
      'expected frames to hold out that cells@1 has not seen, nor others of their fields of view: it has seen all 15; hold out what it held out, or more frames',
  });
});

test('of a parent without a list nothing is known, and nothing is moved', async (t) => {
  const dataset = await openFields(t, 20);
  t.deepEqual(await splitAfterParent(dataset, options, { ref: 'cells@1', seen: null }), {
    split: splitDataset(dataset, options),
    movedFrames: 0,
  });
});
