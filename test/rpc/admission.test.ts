import { setMaxListeners } from 'node:events';
import test from 'ava';
import fc from 'fast-check';
import {
  type Admission,
  createAdmission,
  type Leave,
  type StreamAdmission,
} from '../../src/rpc/classify/admission.js';
import { settle, watch } from '../batching/puppet-run.js';
import { createFakeClock } from '../fake-clock.js';

const never = { signal: new AbortController().signal, deadlineAtMs: Number.POSITIVE_INFINITY };
// Every frame that waits listens to it, here of all streams of all tests.
setMaxListeners(0, never.signal);

/** Streams that have a frame of no bytes on their way: what they send next has to wait its turn. */
async function openBusy(admission: Admission): Promise<StreamAdmission> {
  const stream = admission.openStream();
  await stream.enter(0, never);
  return stream;
}

test('so many frames and bytes are let in, the next in the order in which they came', async (t) => {
  const admission = createAdmission({ maxFrames: 4, maxBytes: 100 });
  const [one, other] = [await openBusy(admission), await openBusy(admission)];
  const first = await one.enter(40, never);
  const second = await one.enter(40, never);
  const waiting = [10, 10, 95].map((bytes) => watch(other.enter(bytes, never)));
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
    [1, 1, 0],
  );
  waiting[1]?.value?.();
  await settle();
  t.is(waiting[2]?.settled, 1);
  t.is(admission.bytes, 95);
});

test('a frame that is larger than the bound goes alone', async (t) => {
  const admission = createAdmission({ maxFrames: 10, maxBytes: 100 });
  const stream = await openBusy(admission);
  const small = await stream.enter(1, never);
  const large = watch(stream.enter(1000, never));
  const behind = watch(stream.enter(1, never));
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
  const stream = await openBusy(admission);
  const first = await stream.enter(60, never);
  const caller = new AbortController();
  const large = watch(stream.enter(90, { ...never, signal: caller.signal }));
  const behind = watch(stream.enter(40, never));
  await settle();
  t.deepEqual([large.settled, behind.settled], [0, 0]);
  caller.abort();
  await settle();
  t.deepEqual([large.settled, behind.settled], [1, 1]);
  large.value?.();
  t.is(admission.bytes, 100);
  first();
  behind.value?.();
  t.is(admission.bytes, 0);
});

test('how long bytes take to leave is known from how long frames stayed', async (t) => {
  const clock = createFakeClock();
  const admission = createAdmission({ maxFrames: 10, maxBytes: 100 }, { clock });
  t.is(admission.untilRoomMs(50), undefined);
  const leave = [admission.tryEnter(20), admission.tryEnter(80)];
  clock.advance(60);
  leave[0]?.();
  t.is(admission.untilRoomMs(20), 15);
  t.is(admission.untilRoomMs(400), 60);
  leave[1]?.();
});

test('one whose deadline passes while it waits holds nothing, and lets those behind it in', async (t) => {
  const clock = createFakeClock();
  const admission = createAdmission({ maxFrames: 10, maxBytes: 100 }, { clock });
  const stream = await openBusy(admission);
  const patience = (ms: number) => ({ ...never, deadlineAtMs: clock.now() + ms });
  const first = await stream.enter(60, patience(10));
  t.is(clock.waiting, 0, 'what is let in at once needs no timer');
  const large = watch(stream.enter(90, patience(20)));
  const patient = watch(stream.enter(45, patience(30)));
  const behind = watch(stream.enter(40, never));
  clock.advance(19);
  await settle();
  t.deepEqual([large.settled, patient.settled, behind.settled], [0, 0, 0]);
  clock.advance(1);
  await settle();
  t.deepEqual([large.settled, patient.settled, behind.settled], [1, 0, 0]);
  large.value?.();
  t.is(admission.bytes, 60);
  first();
  await settle();
  t.deepEqual([patient.settled, behind.settled], [1, 1]);
  t.is(admission.bytes, 85);
  t.is(clock.waiting, 0, 'who is let in in time leaves no timer');
});

test('a stream with nothing on its way is let in however full it is, once', async (t) => {
  const admission = createAdmission({ maxFrames: 2, maxBytes: 100 });
  const flood = admission.openStream();
  await flood.enter(50, never);
  await flood.enter(50, never);
  t.is(flood.tryEnter(1), null);
  const slow = admission.openStream();
  const entered = await slow.enter(30, never);
  t.is(admission.bytes, 130);
  t.is(slow.tryEnter(30), null);
  entered();
  const dropping = admission.openStream().tryEnter(30);
  t.truthy(dropping);
  t.is(admission.tryEnter(1), null, 'a single call is no stream');
});

test('a stream whose last frame leaves while its next waits is let in, whoever stands before it', async (t) => {
  const admission = createAdmission({ maxFrames: 10, maxBytes: 100 });
  const flood = admission.openStream();
  await flood.enter(50, never);
  await flood.enter(50, never);
  const first = watch(flood.enter(90, never));
  const slow = admission.openStream();
  const entered = await slow.enter(30, never);
  const next = watch(slow.enter(30, never));
  const last = watch(slow.enter(30, never));
  await settle();
  t.deepEqual([first.settled, next.settled], [0, 0]);
  entered();
  await settle();
  t.deepEqual([first.settled, next.settled, last.settled], [0, 1, 0]);
  t.is(admission.bytes, 130);
  next.value?.();
  await settle();
  t.is(last.settled, 1);
});

test('single calls and streams that drop take no more from a frame that waits than it has itself', async (t) => {
  const admission = createAdmission({ maxFrames: 10, maxBytes: 100 });
  const dropping = admission.openStream();
  t.truthy(dropping.tryEnter(10));
  const stream = admission.openStream();
  const entered = await stream.enter(50, never);
  const waits = watch(stream.enter(60, never));
  await settle();
  for (const newcomer of [admission, dropping, admission]) {
    const leave = newcomer.tryEnter(20);
    t.truthy(leave, 'there is room for it, and none for the one that waits');
    leave?.();
  }
  await settle();
  t.is(waits.settled, 0);
  t.is(admission.tryEnter(20), null);
  t.is(dropping.tryEnter(20), null);
  entered();
  await settle();
  t.is(waits.settled, 1);
  t.truthy(admission.tryEnter(20));
});

test('who waits for its number of frames keeps nobody out who leaves it its bytes', async (t) => {
  const admission = createAdmission({ maxFrames: 1, maxBytes: 100 });
  const stream = admission.openStream();
  await stream.enter(10, never);
  const waits = watch(stream.enter(10, never));
  for (let at = 0; at < 5; at += 1) {
    const leave = admission.tryEnter(80);
    t.truthy(leave);
    leave?.();
  }
  await settle();
  t.is(waits.settled, 0);
});

test('in place of others of its stream a frame needs room only for what it has beyond them', async (t) => {
  const admission = createAdmission({ maxFrames: 10, maxBytes: 100 });
  await admission.openStream().enter(70, never);
  const stream = admission.openStream();
  t.truthy(stream.tryEnter(10));
  const [second, third] = [stream.tryEnter(10), stream.tryEnter(10)];
  t.is(stream.tryEnter(25), null);
  t.is(stream.tryEnter(25, { count: 2, bytes: 10 }), null);
  t.truthy(stream.tryEnter(20, { count: 2, bytes: 20 }));
  second?.();
  third?.();
  t.is(admission.bytes, 100);
});

test('a stream may exchange all that it has on its way for one frame, whatever its size', async (t) => {
  const admission = createAdmission({ maxFrames: 10, maxBytes: 100 });
  await admission.openStream().enter(95, never);
  const stream = admission.openStream();
  const first = stream.tryEnter(5);
  t.is(stream.tryEnter(30), null);
  t.truthy(stream.tryEnter(30, { count: 1, bytes: 5 }));
  first?.();
  t.is(stream.tryEnter(31, { count: 0, bytes: 0 }), null);
});

test('whatever comes and goes, no more bytes are held than the bound and a frame a stream', async (t) => {
  const [streamCount, maxBytes, largest] = [3, 40, 16];
  const step = fc.record({
    stream: fc.nat(streamCount - 1),
    act: fc.constantFrom('enter', 'tryEnter', 'single', 'leave'),
    byteLength: fc.integer({ min: 1, max: largest }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const admission = createAdmission({ maxFrames: 5, maxBytes });
      const streams = Array.from({ length: streamCount }, () => admission.openStream());
      const entered: Leave[] = [];
      let waiting = 0;
      for (const { stream, act, byteLength } of steps) {
        const own = streams[stream] as StreamAdmission;
        if (act === 'leave') entered.shift()?.();
        else if (act === 'enter') {
          waiting += 1;
          void own.enter(byteLength, never).then((leave) => {
            waiting -= 1;
            entered.push(leave);
          });
        } else {
          const leave =
            act === 'single' ? admission.tryEnter(byteLength) : own.tryEnter(byteLength);
          if (leave) entered.push(leave);
        }
        await settle();
        if (admission.bytes > maxBytes + streamCount * largest) return false;
      }
      while (entered.length > 0) {
        entered.shift()?.();
        await settle();
      }
      return admission.bytes === 0 && waiting === 0;
    }),
  );
  t.pass();
});
