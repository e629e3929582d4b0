import test from 'ava';
import { shareCores } from '../../src/server/open-engine.js';

test('the cores are shared between the workers, unless a setting says how', (t) => {
  t.deepEqual(shareCores(1, 0, 0), { workers: 1, threads: 1 });
  t.deepEqual(shareCores(2, 0, 0), { workers: 2, threads: 1 });
  t.deepEqual(shareCores(16, 0, 0), { workers: 4, threads: 4 });
  t.deepEqual(shareCores(8, 3, 0), { workers: 3, threads: 2 });
  t.deepEqual(shareCores(2, 8, 0), { workers: 8, threads: 1 });
  t.deepEqual(shareCores(8, 0, 1), { workers: 4, threads: 1 });
  t.deepEqual(shareCores(2, 1, 2), { workers: 1, threads: 2 });
});
