import test from 'ava';
import { scaledFrames } from '../../../src/training/process/scaled-frames.js';

test('larger frames go together in fewer, down to one; smaller ones in no more', (t) => {
  const edges = [32, 128, 181, 256, 512, 4096];
  const of = (count: number) =>
    edges.map((px) => scaledFrames(count, { heightPx: px, widthPx: px }));
  t.deepEqual(of(32), [32, 32, 16, 8, 2, 1]);
  t.deepEqual(of(4), [4, 4, 2, 1, 1, 1]);
  t.is(scaledFrames(32, { heightPx: 64, widthPx: 512 }), 16);
});
