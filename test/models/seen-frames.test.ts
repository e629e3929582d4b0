import test from 'ava';
import {
  openModelStore,
  parseSeenFrames,
  readSeenFrames,
  type SeenFrames,
  withParentsFrames,
} from '../../src/models/index.js';
import { makeFolder } from '../make-folder.js';
import { draftOf } from './model-fixtures.js';

const seenOf = (parts: Partial<SeenFrames>): SeenFrames => ({
  ...{ training: [], validation: [], heldOut: [], isParentUnknown: false },
  ...parts,
});

test('a version keeps what it has met, under its checksum; one without a list says so', async (t) => {
  const store = await openModelStore(await makeFolder(t));
  const seen = seenOf({ training: ['aa'], validation: ['bb'], heldOut: ['cc'] });
  const manifest = await store.publish({ ...draftOf(), seen });
  t.deepEqual(await readSeenFrames(manifest, store), seen);
  const files = { ...manifest.files, 'frames.json': '0'.repeat(64) };
  await t.throwsAsync(readSeenFrames({ ...manifest, files }, store), { code: 'model_failed' });
  t.is(await readSeenFrames(await store.publish(draftOf()), store), null);
  t.throws(() => parseSeenFrames('{"training":[1]}', 'cells@1'), {
    code: 'model_failed',
    message: 'cells@1: frames.json is no list of frames',
  });
});

test('what a version began with has met counts as its own, at its worst', (t) => {
  const parent = seenOf({ training: ['a', 'b'], validation: ['c', 'd'], heldOut: ['e'] });
  const own = seenOf({ training: ['c'], validation: ['a', 'f'], heldOut: ['b', 'd', 'e', 'g'] });
  t.deepEqual(withParentsFrames(own, parent), {
    training: ['c', 'a', 'b'],
    validation: ['f', 'd'],
    heldOut: ['e', 'g'],
    isParentUnknown: false,
  });
  t.true(withParentsFrames(own, null).isParentUnknown);
  t.true(withParentsFrames(own, { ...parent, isParentUnknown: true }).isParentUnknown);
});
