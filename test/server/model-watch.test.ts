import test from 'ava';
import { createClosers } from '../../src/server/closers.js';
import { toServing } from '../../src/server/model-watch.js';

const live = (canRun: boolean) => ({ isLive: true, canRun });
const other = (canRun: boolean) => ({ isLive: false, canRun });

for (const [what, versions, expected] of [
  ['no model at all', [], { server: true, classifier: false }],
  ['a version that is not live', [other(true)], { server: true, classifier: false }],
  ['a live version that cannot run', [live(false)], { server: false, classifier: false }],
  [
    'one that runs beside one that cannot',
    [live(true), live(false)],
    { server: true, classifier: true },
  ],
] as const) {
  test(`health with ${what}`, (t) => {
    t.deepEqual(toServing(versions, []), expected);
  });
}

test('health while the version that should be live cannot be read', (t) => {
  const missing = [{ name: 'cells', version: 1 }];
  t.deepEqual(toServing([other(true)], missing), { server: false, classifier: false });
  t.deepEqual(toServing([live(true)], missing), { server: true, classifier: true });
});

test('what was opened is closed in the opposite order, once, whatever fails', async (t) => {
  const closed: number[] = [];
  const closers = createClosers();
  closers.add(() => {
    closed.push(1);
  });
  closers.add(async () => {
    closed.push(2);
    throw new Error('the second does not close');
  });
  closers.add(() => {
    closed.push(3);
  });
  await t.throwsAsync(closers.close(), { message: 'the second does not close' });
  await t.throwsAsync(closers.close());
  t.deepEqual(closed, [3, 2, 1]);
});
