import test from 'ava';
import {
  type BatcherCollaborators,
  type BatcherOptions,
  createBatcher,
  type DropReason,
} from '../../src/batching/index.js';
import { DomainError } from '../../src/errors.js';
import { createFakeClock } from '../fake-clock.js';
import { createPuppetRun, rowOf, settle, tensorOf, watch } from './puppet-run.js';

function setUp(
  options: Partial<BatcherOptions> = {},
  collaborators: Partial<BatcherCollaborators> = {},
) {
  const clock = createFakeClock();
  const puppet = createPuppetRun();
  const dropped: DropReason[] = [];
  const batcher = createBatcher(options, {
    run: puppet.run,
    clock,
    onDropped: (reason) => dropped.push(reason),
    ...collaborators,
  });
  return { clock, puppet, dropped, batcher };
}

test('a lone frame runs at once, alone', async (t) => {
  const { batcher, puppet } = setUp();
  const row = batcher.submit(tensorOf(7));
  await settle();
  t.is(puppet.last().batchSize, 1);
  puppet.last().answer(3);
  const { probabilities, batchSize, runMs } = await row;
  t.deepEqual([...probabilities], rowOf(7));
  t.is(batchSize, 1);
  t.is(runMs, 3);
});

test('a batch forms while the engine is busy, and each frame gets its own row', async (t) => {
  const { batcher, puppet } = setUp({ batchSizes: [1, 4] });
  const first = batcher.submit(tensorOf(1));
  await settle();
  const others = [2, 3, 4, 5].map((number) => batcher.submit(tensorOf(number)));
  await settle();
  t.is(puppet.calls.length, 1, 'the second waits for the first');
  puppet.last().answer();
  await first;
  await settle();
  t.deepEqual(puppet.last().numbers, [2, 3, 4, 5]);
  puppet.last().answer();
  const rows = await Promise.all(others);
  t.deepEqual(
    rows.map(({ probabilities }) => [...probabilities]),
    [2, 3, 4, 5].map(rowOf),
  );
  t.deepEqual(
    rows.map(({ distance }) => distance),
    [2, 3, 4, 5],
  );
});

test('a batch is padded to the next size, and the padding reaches nobody', async (t) => {
  const { batcher, puppet } = setUp({ batchSizes: [4] });
  const rows = [1, 2, 3].map((number) => batcher.submit(tensorOf(number)));
  await settle();
  t.is(puppet.last().batchSize, 4);
  puppet.last().answer();
  const answers = await Promise.all(rows);
  t.deepEqual(
    answers.map(({ probabilities, batchSize }) => [...probabilities, batchSize]),
    [1, 2, 3].map((number) => [...rowOf(number), 3]),
  );
});

test('the buffer that a run hands back is filled again', async (t) => {
  const { batcher, puppet } = setUp({ batchSizes: [2] });
  const buffers = new Set<number>();
  for (let number = 1; number <= 5; number += 1) {
    const row = batcher.submit(tensorOf(number));
    await settle();
    buffers.add(puppet.last().buffer.byteLength);
    puppet.last().answer();
    await row;
    // A padding row keeps what the buffer held before: it is the same memory.
    if (number > 1) t.is(puppet.last().numbers[1], 0);
  }
  t.deepEqual([...buffers], [0], 'every input was given away');
});

test('where a larger batch costs no more, all that wait run together, padded', async (t) => {
  const warmRunMs = new Map([
    [1, 5],
    [2, 5.1],
    [4, 5.2],
    [8, 5.3],
  ]);
  const { batcher, puppet } = setUp({ batchSizes: [1, 2, 4, 8] }, { warmRunMs });
  for (let number = 1; number <= 6; number += 1) void batcher.submit(tensorOf(number));
  await settle();
  t.is(puppet.last().batchSize, 8);
});

test('where the time grows with the batch, the smallest batch of nearly the best rate runs', async (t) => {
  const warmRunMs = new Map([
    [1, 7.6],
    [2, 13],
    [4, 24.4],
    [8, 48.6],
    [16, 97],
  ]);
  const { batcher, puppet } = setUp({ batchSizes: [1, 2, 4, 8, 16] }, { warmRunMs });
  for (let number = 1; number <= 20; number += 1) void batcher.submit(tensorOf(number));
  await settle();
  t.is(puppet.last().batchSize, 4);
});

test('a batch that cannot get better is handed over before the run ahead of it ends', async (t) => {
  const warmRunMs = new Map([
    [1, 7],
    [2, 10],
    [4, 18],
  ]);
  const { batcher, puppet } = setUp({ batchSizes: [1, 2, 4] }, { warmRunMs });
  const submit = (number: number) => void batcher.submit(tensorOf(number));
  submit(1);
  await settle();
  for (const number of [2, 3, 4]) submit(number);
  await settle();
  t.is(puppet.calls.length, 1, 'a fourth would make it better');
  submit(5);
  await settle();
  t.deepEqual(puppet.last().numbers, [2, 3, 4, 5]);
  for (const number of [6, 7, 8, 9]) submit(number);
  await settle();
  t.is(puppet.calls.length, 2, 'no third');
  puppet.oldest().answer(7);
  await settle();
  t.deepEqual(puppet.last().numbers, [6, 7, 8, 9]);
});

test('as many batches run as the engine has lanes, and free lanes share what waits', async (t) => {
  const { batcher, puppet } = setUp({ batchSizes: [1, 2, 4] }, { lanes: 2 });
  const rows = [1, 2, 3, 4].map((number) => batcher.submit(tensorOf(number)));
  await settle();
  t.deepEqual(
    puppet.calls.map(({ numbers }) => numbers),
    [
      [1, 2],
      [3, 4],
    ],
  );
  void batcher.submit(tensorOf(5));
  await settle();
  t.is(puppet.calls.length, 2, 'both lanes are busy');
  // The second comes back first: its lane takes what waits.
  puppet.last().answer();
  await settle();
  t.is(puppet.calls.length, 3);
  t.deepEqual([...((await rows[3])?.probabilities ?? [])], rowOf(4));
});

test('a deadline counts on the lane that is free first', async (t) => {
  const warmRunMs = new Map([[1, 10]]);
  const { batcher, clock } = setUp({ batchSizes: [1] }, { lanes: 2, warmRunMs });
  void batcher.submit(tensorOf(1));
  await settle();
  clock.advance(6);
  void batcher.submit(tensorOf(2));
  await settle();
  // The lanes are free in 4 ms and in 10 ms; a run takes 10.
  await t.throwsAsync(batcher.submit(tensorOf(3), { deadlineAtMs: clock.now() + 13 }), {
    code: 'deadline',
  });
  const row = watch(batcher.submit(tensorOf(4), { deadlineAtMs: clock.now() + 14 }));
  await settle();
  t.is(row.settled, 0, 'it is let in');
});

test('a size that was learned on a busy machine is tried again, rarely', async (t) => {
  const warmRunMs = new Map([
    [1, 10],
    [2, 60], // in truth 11
  ]);
  const { batcher, puppet } = setUp({ batchSizes: [1, 2], maxStreamFrames: 900 }, { warmRunMs });
  for (let number = 1; number <= 900; number += 1) void batcher.submit(tensorOf(number));
  await settle();
  while (batcher.queuedFrames > 0) {
    const call = puppet.oldest();
    call.answer(call.batchSize === 1 ? 10 : 11);
    await settle();
  }
  const sizes = puppet.calls.map(({ batchSize }) => batchSize);
  const firstOfTwo = sizes.indexOf(2);
  t.true(firstOfTwo >= 199 && firstOfTwo < 202, `tried after ${firstOfTwo}`);
  t.true(sizes.slice(firstOfTwo + 3).every((size) => size === 2));
});

test('high runs before normal before low', async (t) => {
  const { batcher, puppet } = setUp({ batchSizes: [1, 3] });
  void batcher.submit(tensorOf(1));
  await settle();
  void batcher.submit(tensorOf(2), { priority: 'low' });
  void batcher.submit(tensorOf(3));
  void batcher.submit(tensorOf(4), { priority: 'high' });
  puppet.last().answer();
  await settle();
  t.deepEqual(puppet.last().numbers, [4, 3, 2]);
});

test('streams take turns, and the earliest deadline is first, among them and within one', async (t) => {
  const { batcher, puppet, clock } = setUp({ batchSizes: [1, 4] });
  void batcher.submit(tensorOf(1));
  await settle();
  for (const number of [2, 3, 4]) void batcher.submit(tensorOf(number), { streamId: 'fast' });
  void batcher.submit(tensorOf(9), { streamId: 'slow', deadlineAtMs: clock.now() + 900 });
  void batcher.submit(tensorOf(8), { streamId: 'slow', deadlineAtMs: clock.now() + 100 });
  puppet.last().answer();
  await settle();
  t.deepEqual(puppet.last().numbers, [8, 2, 9, 3]);
});

test('a batch is as urgent as its highest priority, and of use until its latest deadline', async (t) => {
  const { batcher, puppet, clock } = setUp({ batchSizes: [4] });
  void batcher.submit(tensorOf(1));
  await settle();
  const none = Number.POSITIVE_INFINITY;
  t.deepEqual(puppet.last().wish, { priority: 'normal', deadlineAtMs: none });
  const deadlineAtMs = clock.now() + 1000;
  void batcher.submit(tensorOf(2), { priority: 'low', deadlineAtMs: deadlineAtMs + 5 });
  void batcher.submit(tensorOf(3), { priority: 'high', deadlineAtMs });
  puppet.last().answer();
  await settle();
  t.deepEqual(puppet.last().numbers.slice(0, 2), [3, 2]);
  t.deepEqual(puppet.last().wish, { priority: 'high', deadlineAtMs: deadlineAtMs + 5 });
  void batcher.submit(tensorOf(4), { priority: 'low' });
  void batcher.submit(tensorOf(5), { priority: 'low', deadlineAtMs });
  puppet.last().answer();
  await settle();
  t.deepEqual(puppet.last().wish, { priority: 'low', deadlineAtMs: none });
});

test('a run that is refused as late has expired, and is not tried again', async (t) => {
  const { batcher, puppet, dropped } = setUp({ batchSizes: [1] });
  const row = watch(batcher.submit(tensorOf(1)));
  await settle();
  puppet.last().fail(new DomainError('deadline', 'it cannot be met'));
  await settle();
  t.like(row.error, { code: 'deadline' });
  t.deepEqual(dropped, ['expired']);
  t.is(puppet.calls.length, 1);
});

test('a cancelled frame is not run, and is counted', async (t) => {
  const { batcher, puppet, dropped } = setUp({ batchSizes: [1, 2] });
  void batcher.submit(tensorOf(1));
  await settle();
  const controller = new AbortController();
  const left = batcher.submit(tensorOf(2), { signal: controller.signal });
  void batcher.submit(tensorOf(3));
  controller.abort();
  await t.throwsAsync(left, { instanceOf: DomainError, code: 'cancelled' });
  puppet.last().answer();
  await settle();
  t.deepEqual(puppet.last().numbers, [3]);
  t.deepEqual(dropped, ['cancelled']);
});

test('a frame whose deadline passes in the queue is rejected then, not run, and counted', async (t) => {
  const { batcher, puppet, dropped, clock } = setUp({ batchSizes: [1] });
  void batcher.submit(tensorOf(1));
  await settle();
  const late = batcher.submit(tensorOf(2), { deadlineAtMs: clock.now() + 10 });
  clock.advance(10);
  await t.throwsAsync(late, { code: 'deadline' });
  puppet.last().answer();
  await settle();
  t.is(puppet.calls.length, 1);
  t.deepEqual(dropped, ['expired']);
});

test('a frame whose deadline passes while it runs is rejected at its deadline', async (t) => {
  const { batcher, puppet, clock } = setUp({ batchSizes: [1] });
  const late = watch(batcher.submit(tensorOf(1), { deadlineAtMs: clock.now() + 10 }));
  await settle();
  clock.advance(10);
  await settle();
  t.like(late.error, { code: 'deadline' });
  puppet.last().answer();
  await settle();
  t.is(late.settled, 1);
});

test('a deadline that cannot be met is refused at once', async (t) => {
  const warmRunMs = new Map([[1, 10]]);
  const { batcher, clock } = setUp({ batchSizes: [1] }, { warmRunMs });
  for (const number of [1, 2, 3]) void batcher.submit(tensorOf(number), { priority: 'high' });
  await settle();
  // One runs and two wait: an answer after 10 + 2 x 10 + 10 ms.
  const hopeless = batcher.submit(tensorOf(4), { deadlineAtMs: clock.now() + 39 });
  await t.throwsAsync(hopeless, {
    code: 'deadline',
    message: 'the deadline cannot be met: the answer would come 1 ms after it',
  });
  const hopeful = watch(batcher.submit(tensorOf(5), { deadlineAtMs: clock.now() + 41 }));
  await settle();
  t.is(hopeful.settled, 0);
  // A high one runs next, whatever waits.
  const urgent = { deadlineAtMs: clock.now() + 21, priority: 'high' } as const;
  t.is(watch(batcher.submit(tensorOf(6), urgent)).settled, 0);
});

test('frames that do not fill a batch are waited for as well', async (t) => {
  const warmRunMs = new Map([
    [1, 10],
    [4, 40],
  ]);
  const { batcher, clock } = setUp({ batchSizes: [1, 4] }, { warmRunMs });
  for (const number of [1, 2, 3, 4]) void batcher.submit(tensorOf(number), { priority: 'high' });
  await settle();
  // One runs and three wait: an answer after 10 + 3 x 10 + 10 ms, or 10 + 40 ms.
  const hopeless = batcher.submit(tensorOf(5), { deadlineAtMs: clock.now() + 49 });
  await t.throwsAsync(hopeless, { code: 'deadline', message: /would come 1 ms after it/ });
  const hopeful = watch(batcher.submit(tensorOf(6), { deadlineAtMs: clock.now() + 51 }));
  await settle();
  t.is(hopeful.settled, 0);
});

test('an idle engine refuses what its run would make late, before a tensor is made too', async (t) => {
  const { batcher, puppet, clock } = setUp({ batchSizes: [1] });
  void batcher.submit(tensorOf(1));
  await settle();
  puppet.last().answer(10);
  await settle();
  const late = { deadlineAtMs: clock.now() + 9 };
  t.throws(() => batcher.assertInTime(late), { code: 'deadline' });
  await t.throwsAsync(batcher.submit(tensorOf(2), late), {
    code: 'deadline',
    message: 'the deadline cannot be met: the answer would come 1 ms after it',
  });
  t.is(puppet.calls.length, 1);
  const inTime = { deadlineAtMs: clock.now() + 10 };
  batcher.assertInTime(inTime);
  void batcher.submit(tensorOf(3), inTime);
  await settle();
  t.is(puppet.calls.length, 2);
});

test('what an idle engine refuses is tried now and then, so that a wrong estimate is forgotten', async (t) => {
  const warmRunMs = new Map([[1, 500]]); // in truth 5
  const { batcher, puppet, clock } = setUp({ batchSizes: [1] }, { warmRunMs });
  const submit = (number: number) =>
    watch(batcher.submit(tensorOf(number), { deadlineAtMs: clock.now() + 20 }));
  const row = submit(1);
  const second = submit(2);
  await settle();
  t.like(second.error, { code: 'deadline' }, 'one at a time');
  clock.advance(20);
  puppet.last().answer(500);
  await settle();
  t.like(row.error, { code: 'deadline' });
  for (let waitedMs = 0; waitedMs < 2000; waitedMs += 200) {
    const refused = submit(3);
    await settle();
    t.like(refused.error, { code: 'deadline' });
    clock.advance(200);
  }
  const tried = submit(4);
  await settle();
  puppet.last().answer(5);
  await settle();
  t.is(tried.error, undefined);
  const next = submit(5);
  await settle();
  puppet.last().answer(5);
  await settle();
  t.is(next.error, undefined, 'it is known now that a run takes 5 ms');
});

test('a batch is made smaller where the frame whose turn it is would be late in a larger one', async (t) => {
  const warmRunMs = new Map([
    [1, 10],
    [4, 14],
  ]);
  const { batcher, puppet, clock, dropped } = setUp({ batchSizes: [1, 4] }, { warmRunMs });
  const rows = [12, 22, 22, 22].map((deadlineMs, at) =>
    watch(batcher.submit(tensorOf(at + 1), { deadlineAtMs: clock.now() + deadlineMs })),
  );
  for (const number of [1, 2]) {
    await settle();
    t.deepEqual(puppet.last().numbers, [number]);
    clock.advance(10);
    puppet.last().answer(10);
  }
  await settle();
  t.truthy(rows[0]?.value);
  t.truthy(rows[1]?.value);
  t.deepEqual(dropped, ['expired', 'expired'], 'no time is left for the others');
  // Where they have the time they run together.
  for (const number of [5, 6, 7, 8]) {
    void batcher.submit(tensorOf(number), { deadlineAtMs: clock.now() + 14 });
  }
  await settle();
  t.deepEqual(puppet.last().numbers, [5, 6, 7, 8]);
});

test('what a run would make late is not run, and is counted', async (t) => {
  const warmRunMs = new Map([
    [1, 10],
    [2, 12],
    [4, 14],
  ]);
  const { batcher, puppet, clock, dropped } = setUp({ batchSizes: [1, 2, 4] }, { warmRunMs });
  void batcher.submit(tensorOf(1));
  await settle();
  const late = watch(batcher.submit(tensorOf(2), { deadlineAtMs: clock.now() + 29 }));
  const inTime = watch(batcher.submit(tensorOf(3), { deadlineAtMs: clock.now() + 60 }));
  void batcher.submit(tensorOf(4));
  clock.advance(20); // the run took twice as long as was thought
  puppet.last().answer(20);
  await settle();
  t.like(late.error, { code: 'deadline' });
  t.deepEqual(dropped, ['expired']);
  t.deepEqual(puppet.last().numbers, [3, 4], 'a smaller size holds the rest');
  puppet.last().answer();
  await settle();
  t.truthy(inTime.value);
});

test('a full queue refuses with overloaded, in frames and in bytes', async (t) => {
  for (const bound of [{ maxQueuedFrames: 2 }, { maxQueuedBytes: 39 }]) {
    const { batcher, puppet } = setUp({ batchSizes: [1], ...bound });
    void batcher.submit(tensorOf(1));
    await settle();
    void batcher.submit(tensorOf(2));
    void batcher.submit(tensorOf(3));
    await t.throwsAsync(batcher.submit(tensorOf(4)), { code: 'overloaded' });
    t.is(batcher.queuedFrames, 2);
    puppet.last().answer();
  }
});

test('a refusal says when half of what is ahead will have run', async (t) => {
  const warmRunMs = new Map([
    [1, 10],
    [4, 20],
  ]);
  const limits = { batchSizes: [1, 4], maxQueuedFrames: 41, maxStreamFrames: 40 };
  const { batcher, clock } = setUp(limits, { warmRunMs });
  const own = { streamId: 'own' };
  // Two batches are handed over, of one and of four, which end after 30 ms.
  for (let number = 0; number < 48; number += 1) {
    void batcher.submit(tensorOf(number), own).catch(() => {});
    await settle();
  }
  t.is(batcher.queuedFrames, 40);
  const told = async (streamId: string) => {
    const error = await t.throwsAsync(batcher.submit(tensorOf(99), { streamId }), {
      code: 'overloaded',
    });
    return (error as DomainError).retryAfterMs;
  };
  t.is(await told('own'), 30 + (20 / 4) * 20);
  void batcher.submit(tensorOf(50), { streamId: 'other' }).catch(() => {});
  t.is(await told('own'), 30 + (20.5 / 4) * 20, 'one of the other stream is ahead, too');
  clock.advance(15);
  // The first should have ended 5 ms ago: the second has still to run, all of its 20.
  t.is(await told('own'), 20 + (20.5 / 4) * 20);
});

test('before any run a refusal does not say when there is room', async (t) => {
  const { batcher } = setUp({ batchSizes: [1], maxQueuedFrames: 1 });
  void batcher.submit(tensorOf(1));
  await settle();
  void batcher.submit(tensorOf(2));
  const error = await t.throwsAsync(batcher.submit(tensorOf(3)), { code: 'overloaded' });
  t.is((error as DomainError).retryAfterMs, undefined);
});

test('a stream has bounds of its own, in frames and in bytes, that leave room for others', async (t) => {
  for (const bound of [{ maxStreamFrames: 2 }, { maxStreamBytes: 39 }]) {
    const { batcher, puppet } = setUp({ batchSizes: [1], ...bound });
    const [one, other] = [{ streamId: 'one' }, { streamId: 'other' }];
    void batcher.submit(tensorOf(1), one);
    await settle();
    void batcher.submit(tensorOf(2), { ...one, priority: 'low' });
    void batcher.submit(tensorOf(3), one);
    await t.throwsAsync(batcher.submit(tensorOf(4), one), {
      code: 'overloaded',
      message: /of this stream/,
    });
    void batcher.submit(tensorOf(5), other);
    t.is(batcher.queuedFrames, 3);
    puppet.last().answer();
    await settle();
    const again = watch(batcher.submit(tensorOf(6), one));
    await settle();
    t.is(again.settled, 0, 'one of them runs, so there is room again');
  }
});

test('in a full queue the longest stream makes room for a shorter one', async (t) => {
  const { batcher, puppet, dropped } = setUp({ batchSizes: [1, 4], maxQueuedFrames: 3 });
  void batcher.submit(tensorOf(1));
  await settle();
  const fast = [2, 3, 4].map((number) =>
    watch(batcher.submit(tensorOf(number), { streamId: 'fast' })),
  );
  const slow = watch(batcher.submit(tensorOf(9), { streamId: 'slow' }));
  await settle();
  t.deepEqual(
    fast.map(({ settled }) => settled),
    [0, 0, 1],
  );
  t.like(fast[2]?.error, { code: 'overloaded' });
  t.is(slow.settled, 0);
  t.deepEqual(dropped, ['shed']);
  puppet.last().answer();
});

test('in a full queue a lower priority makes room, never a higher one', async (t) => {
  const { batcher, puppet } = setUp({ batchSizes: [1], maxQueuedFrames: 1 });
  void batcher.submit(tensorOf(1));
  await settle();
  const low = watch(batcher.submit(tensorOf(2), { priority: 'low' }));
  const high = watch(batcher.submit(tensorOf(3), { priority: 'high' }));
  await t.throwsAsync(batcher.submit(tensorOf(4), { priority: 'low' }), { code: 'overloaded' });
  t.like(low.error, { code: 'overloaded' });
  t.is(high.settled, 0);
  puppet.last().answer();
});

test('what is kept is let in beyond the bounds and never makes room', async (t) => {
  const { batcher, puppet } = setUp({ batchSizes: [1], maxQueuedFrames: 2, maxStreamFrames: 2 });
  void batcher.submit(tensorOf(1));
  await settle();
  const wish = { streamId: 'kept', whenFull: 'keep', priority: 'low' } as const;
  const kept = [2, 3, 4].map((number) => watch(batcher.submit(tensorOf(number), wish)));
  // The room of others is left to them, and they to it.
  const others = [5, 6].map((number) => watch(batcher.submit(tensorOf(number))));
  const low = { priority: 'low', streamId: 'other' } as const;
  await t.throwsAsync(batcher.submit(tensorOf(7), low), { code: 'overloaded' });
  t.is(batcher.queuedFrames, 5);
  t.true([...kept, ...others].every(({ settled }) => settled === 0));
  puppet.last().answer();
});

test('a run that fails rejects each of its frames once, and the next batch runs', async (t) => {
  const { batcher, puppet, dropped } = setUp({ batchSizes: [2] });
  const rows = [1, 2].map((number) => batcher.submit(tensorOf(number)));
  await settle();
  puppet.last().fail(new DomainError('model_failed', 'the runtime failed'));
  for (const row of rows) await t.throwsAsync(row, { code: 'model_failed' });
  t.deepEqual(dropped, ['failed', 'failed']);
  const next = batcher.submit(tensorOf(3));
  await settle();
  puppet.last().answer();
  t.deepEqual([...(await next).probabilities], rowOf(3));
});

test('a batch that a crash took is tried once more, and only once', async (t) => {
  const { batcher, puppet } = setUp({ batchSizes: [1] });
  const row = batcher.submit(tensorOf(1));
  await settle();
  puppet.last().fail(new DomainError('not_ready', 'the engine restarts'));
  await settle();
  t.is(puppet.calls.length, 2);
  puppet.last().fail(new DomainError('not_ready', 'the engine restarts'));
  await t.throwsAsync(row, { code: 'not_ready' });
  await settle();
  t.is(puppet.calls.length, 2);
});

test('where the engine has no room, what is kept is run later, and what may be shed is shed', async (t) => {
  const { batcher, puppet, clock, dropped } = setUp({ batchSizes: [1, 4] });
  const full = new DomainError('overloaded', 'the model server is overloaded');
  const keep = { whenFull: 'keep', streamId: 'kept' } as const;
  const leaving = new AbortController();
  const kept = watch(batcher.submit(tensorOf(1), keep));
  const shed = watch(batcher.submit(tensorOf(2), { whenFull: 'dropOldest', streamId: 'other' }));
  const left = watch(batcher.submit(tensorOf(3), { ...keep, signal: leaving.signal }));
  const late = watch(batcher.submit(tensorOf(4), { ...keep, deadlineAtMs: clock.now() + 100 }));
  await settle();
  puppet.last().fail(full);
  await settle();
  t.like(shed.error, { code: 'overloaded' });
  leaving.abort(new DomainError('cancelled', 'the caller left'));
  clock.advance(249);
  await settle();
  t.like(left.error, { code: 'cancelled' });
  t.like(late.error, { code: 'deadline' });
  t.is(puppet.calls.length, 1, 'the server is left alone for a while');
  clock.advance(1);
  await settle();
  t.is(puppet.calls.length, 2);
  t.deepEqual(puppet.last().numbers, [1], 'those that ended meanwhile are not run');
  puppet.last().fail(full);
  await settle();
  clock.advance(250);
  await settle();
  puppet.last().answer();
  await settle();
  t.is(kept.settled, 1);
  t.deepEqual([...(kept.value?.probabilities ?? [])], rowOf(1));
  t.deepEqual(dropped, ['failed', 'cancelled', 'expired']);
});

test('a batch that a crash took is not tried again where its caller does that', async (t) => {
  const { batcher, puppet } = setUp({ batchSizes: [1] });
  const row = batcher.submit(tensorOf(1), { isRetriedByCaller: true });
  await settle();
  puppet.last().fail(new DomainError('not_ready', 'the engine restarts'));
  await t.throwsAsync(row, { code: 'not_ready' });
  await settle();
  t.is(puppet.calls.length, 1);
});

test('a delay lets an idle engine wait for company, no longer than for a full batch', async (t) => {
  const { batcher, puppet, clock } = setUp({ batchSizes: [1, 2], maxDelayMs: 5 });
  void batcher.submit(tensorOf(1));
  await settle();
  t.is(puppet.calls.length, 0);
  clock.advance(5);
  await settle();
  t.is(puppet.calls.length, 1);
  puppet.last().answer();
  await settle();
  void batcher.submit(tensorOf(2));
  void batcher.submit(tensorOf(3));
  await settle();
  t.deepEqual(puppet.last().numbers, [2, 3]);
});

test('close refuses the new, runs the waiting, and ends once', async (t) => {
  const { batcher, puppet } = setUp({ batchSizes: [1], maxDelayMs: 1000 });
  const row = batcher.submit(tensorOf(1));
  const closing = [watch(batcher.close()), watch(batcher.close())];
  await t.throwsAsync(batcher.submit(tensorOf(2)), { code: 'draining' });
  await settle();
  t.deepEqual(
    closing.map(({ settled }) => settled),
    [0, 0],
  );
  puppet.last().answer();
  t.deepEqual([...(await row).probabilities], rowOf(1));
  await settle();
  t.deepEqual(
    closing.map(({ settled }) => settled),
    [1, 1],
  );
  await batcher.close();
});

test('batch sizes that do not ascend are refused', (t) => {
  for (const batchSizes of [[], [0], [2, 1], [1.5], [2, 2]]) {
    t.throws(() => setUp({ batchSizes }), { instanceOf: DomainError, code: 'option_invalid' });
  }
});
