import test from 'ava';
import { createAdmission } from '../../src/rpc/classify/admission.js';
import { settle, watch } from '../batching/puppet-run.js';

const never = new AbortController().signal;

test('so many frames and bytes are let in, the next in the order in which they came', async (t) => {
  const admission = createAdmission({ maxFrames: 2, maxBytes: 100 });
  const first = await admission.enter(40, never);
  const second = await admission.enter(40, never);
  const waiting = [10, 10, 90].map((bytes) => watch(admission.enter(bytes, never)));
  await settle();
  t.deepEqual(
    waiting.map(({ settled }) => settled),
    [0, 0, 0],
  );
  first();
  await settle();
  t.deepEqual(
    waiting.map(({ settled }) => settled),
    [1, 0, 0],
  );
  second();
  waiting[0]?.value?.();
  await settle();
  t.deepEqual(
    waiting.map(({ settled }) => settled),
    [1, 1, 1],
  );
});

test('a frame that is larger than the bound goes alone', async (t) => {
  const admission = createAdmission({ maxFrames: 10, maxBytes: 100 });
  const small = await admission.enter(1, never);
  const large = watch(admission.enter(1000, never));
  const behind = watch(admission.enter(1, never));
  await settle();
  t.is(large.settled, 0);
  small();
  await settle();
  t.deepEqual([large.settled, behind.settled], [1, 0]);
  large.value?.();
  await settle();
  t.is(behind.settled, 1);
});

test('one that leaves while it waits holds nothing, and lets those behind it in', async (t) => {
  const admission = createAdmission({ maxFrames: 10, maxBytes: 100 });
  const first = await admission.enter(60, never);
  const caller = new AbortController();
  const large = watch(admission.enter(90, caller.signal));
  const behind = watch(admission.enter(40, never));
  await settle();
  t.deepEqual([large.settled, behind.settled], [0, 0]);
  caller.abort();
  await settle();
  t.deepEqual([large.settled, behind.settled], [1, 1]);
  large.value?.();
  first();
  behind.value?.();
  const next = watch(admission.enter(100, never));
  await settle();
  t.is(next.settled, 1);
});
