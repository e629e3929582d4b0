import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { frameKeys, openDataset } from '../../src/dataset/index.js';
import { chooseFrames, type EvaluatedPart, seenSentence } from '../../src/evaluation/index.js';
import { makeFolder } from '../make-folder.js';
import { writeSmallDataset } from '../training/small-dataset.js';

/** Eight frames of which a version was trained on 0 to 3, chose its thresholds by 4 and 5, held out 6. */
async function openSeen(t: ExecutionContext) {
  const path = await writeSmallDataset(join(await makeFolder(t), 'cells'), 8);
  const dataset = await openDataset(path);
  const keys = await frameKeys(dataset, dataset.frames);
  const seen = {
    training: keys.slice(0, 4),
    validation: keys.slice(4, 6),
    heldOut: keys.slice(6, 7),
    isParentUnknown: false,
  };
  return { dataset, keys, version: { ref: 'cells@1', seen } };
}

const ids = (frames: readonly { readonly id: string }[]) => frames.map(({ id }) => id);

test('frames are counted by what the version has met of them, and parts leave the others out', async (t) => {
  const { dataset, version } = await openSeen(t);
  const all = await chooseFrames(dataset, [version], 'all');
  t.is(all.frames.length, 8);
  t.deepEqual(all.seen[0], {
    part: 'all',
    datasetFrameCount: 8,
    counts: { trainedOn: 4, validatedOn: 2, heldOut: 1 },
    isParentUnknown: false,
  });
  const unseen = await chooseFrames(dataset, [version], 'unseen');
  t.deepEqual(ids(unseen.frames), ['cell6', 'cell7']);
  t.deepEqual(unseen.seen[0]?.counts, { trainedOn: 0, validatedOn: 0, heldOut: 1 });
  const validation = await chooseFrames(dataset, [version], 'validation');
  t.deepEqual(ids(validation.frames), ['cell4', 'cell5']);
});

test('a frame of a field of view that was trained on is not new', async (t) => {
  const { dataset, version } = await openSeen(t);
  const frames = dataset.frames.map((frame, at) => ({
    ...frame,
    group: at % 7 === 0 ? 'g' : null,
  }));
  const { seen, frames: unseen } = await chooseFrames({ ...dataset, frames }, [version], 'unseen');
  t.deepEqual(ids(unseen), ['cell6']);
  t.is(seen[0]?.counts?.trainedOn, 0);
});

test('a frame of a field of view that chose thresholds is not new, and chose none itself', async (t) => {
  const { dataset, version } = await openSeen(t);
  const fields = ['a', 'b', 'b', 'a', 'b', 'c', 'd', 'c'];
  const frames = dataset.frames.map((frame, at) => ({ ...frame, group: fields[at] ?? null }));
  const of = (part: EvaluatedPart) => chooseFrames({ ...dataset, frames }, [version], part);
  t.deepEqual(ids((await of('unseen')).frames), ['cell6']);
  // Beside a frame that was trained on, which counts before.
  t.deepEqual(ids((await of('validation')).frames), ['cell5']);
  t.deepEqual((await of('all')).seen[0]?.counts, { trainedOn: 5, validatedOn: 2, heldOut: 1 });
});

test('two versions are scored on what is unseen by both', async (t) => {
  const { dataset, keys, version } = await openSeen(t);
  const other = { ref: 'cells@2', seen: { ...version.seen, validation: keys.slice(7) } };
  const { frames, seen } = await chooseFrames(dataset, [version, other], 'unseen');
  t.deepEqual(ids(frames), ['cell6']);
  t.is(seen.length, 2);
  const greedy = { ref: 'cells@3', seen: { ...version.seen, training: keys } };
  await t.throwsAsync(chooseFrames(dataset, [version, greedy], 'unseen'), {
    code: 'verb_unfit',
    message: 'expected frames that are unseen for cells@1 and cells@3, got none among 8',
  });
});

test('a version of fewer channels knows its frames by those, whatever it is compared with', async (t) => {
  const { dataset, version } = await openSeen(t);
  const channels = dataset.channels.slice(0, 2);
  const training = await frameKeys({ ...dataset, channels }, dataset.frames.slice(4, 8));
  const few = { ref: 'few@1', seen: { ...version.seen, training, validation: [] }, channels };
  const { seen } = await chooseFrames(dataset, [version, few], 'all');
  t.is(seen[0]?.counts?.trainedOn, 4);
  t.is(seen[1]?.counts?.trainedOn, 4);
  t.deepEqual(ids((await chooseFrames(dataset, [few], 'unseen')).frames), [
    ...['cell0', 'cell1', 'cell2', 'cell3'],
  ]);
});

test('of a version without a list nothing is known, and nothing is left out', async (t) => {
  const { dataset } = await openSeen(t);
  const { frames, seen } = await chooseFrames(dataset, [{ ref: 'cells@9', seen: null }], 'unseen');
  t.is(frames.length, 8);
  t.is(seen[0]?.counts, null);
});

test('a reader is told before the scores', (t) => {
  const of = { frameCount: 8, ref: 'cells@1' };
  const seen = { part: 'all', datasetFrameCount: 8, isParentUnknown: false } as const;
  const counts = { trainedOn: 4, validatedOn: 2, heldOut: 1 };
  t.is(
    seenSentence({ ...seen, counts }, of),
    'CAUTION: cells@1 was trained on 4 of the 8 frames, and 2 chose its epoch and thresholds: these are not its scores on new frames. --part unseen leaves those out.',
  );
  t.regex(
    seenSentence({ ...seen, counts: { trainedOn: 6, validatedOn: 2, heldOut: 0 } }, of),
    /It has seen all of them; train --held-out/,
  );
  t.is(
    seenSentence(
      {
        ...seen,
        part: 'unseen',
        datasetFrameCount: 20,
        counts: { trainedOn: 0, validatedOn: 0, heldOut: 8 },
      },
      of,
    ),
    'cells@1 has not seen the 8 frames; its training held out 8 of them. 12 others are left out (--part unseen).',
  );
  t.regex(seenSentence({ ...seen, counts: null }, of), /^UNKNOWN whether cells@1 was trained on/);
  t.regex(
    seenSentence({ ...seen, counts, isParentUnknown: true }, of),
    /What the version that it began with was trained on is unknown\./,
  );
});
