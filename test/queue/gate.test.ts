import test from 'ava';
import { DomainError } from '../../src/errors.js';
import { createGate, type GateOptions, type Newcomer, toPlace } from '../../src/queue/index.js';
import { settle, watch } from '../batching/puppet-run.js';
import { createFakeClock } from '../fake-clock.js';

const wide = {
  width: 1,
  where: 'waiting for work',
  closedMessage: 'nothing is worked on here any more',
  maxQueuedFrames: 100,
  maxQueuedBytes: 1000,
  maxStreamFrames: 100,
  maxStreamBytes: 1000,
};

/** A gate whose work the test ends. */
function setUp(options: Partial<GateOptions> = {}) {
  const gate = createGate({ ...wide, ...options });
  const started: string[] = [];
  const open: (() => void)[] = [];
  const run = (name: string, wish: Partial<Newcomer> = {}, signal?: AbortSignal) => {
    const { byteLength = 1, whenFull = 'refuse' } = wish;
    const work = () => {
      started.push(name);
      return new Promise<string>((resolve) => open.push(() => resolve(name)));
    };
    return watch(gate.run({ ...toPlace(wish), byteLength, whenFull }, signal, work));
  };
  /** Ends what runs until nothing waits. */
  const finish = async () => {
    for (let end = open.shift(); end; end = open.shift()) {
      end();
      await settle();
    }
  };
  return { gate, run, started, open, finish };
}

test('work starts by priority, in turns between streams, the earliest deadline first', async (t) => {
  const { run, started, finish } = setUp();
  run('running');
  for (const name of ['a1', 'a2', 'a3']) run(name, { streamId: 'a' });
  run('b2', { streamId: 'b', deadlineAtMs: 900 });
  run('b1', { streamId: 'b', deadlineAtMs: 100 });
  run('low', { streamId: 'c', priority: 'low' });
  run('high', { streamId: 'd', priority: 'high' });
  await finish();
  t.deepEqual(started, ['running', 'high', 'b1', 'a1', 'b2', 'a2', 'a3', 'low']);
});

test('no more runs at once than there are places', async (t) => {
  const { run, started, open, finish } = setUp({ width: 2 });
  for (const name of ['a', 'b', 'c', 'd']) run(name);
  await settle();
  t.deepEqual(started, ['a', 'b']);
  open.pop()?.();
  await settle();
  t.deepEqual(started, ['a', 'b', 'c']);
  await finish();
  t.is(started.length, 4);
});

test('a refusal says when half of what is ahead will be done, by what work took so far', async (t) => {
  const clock = createFakeClock();
  const { run, open } = setUp({ width: 2, maxQueuedFrames: 4, now: clock.now });
  const fill = () => {
    for (let count = 0; count < 6; count += 1) run('frame');
    return run('one too many');
  };
  const first = fill();
  await settle();
  t.like(first.error, { code: 'overloaded', retryAfterMs: undefined });
  // Two of those that run, and the four that wait.
  for (let count = 0; count < 6; count += 1) {
    clock.advance(30);
    open.shift()?.();
    await settle();
  }
  const second = fill();
  await settle();
  // 30, 60, 60, … ms each: half of the four ahead and the newcomer itself, on two places.
  const { retryAfterMs = 0 } = second.error as DomainError;
  t.true(retryAfterMs > 45 && retryAfterMs < 90, `${retryAfterMs}`);
});

test('eight streams that flood it shed their own oldest, never the frames of a slow one', async (t) => {
  const { run, started, open, finish } = setUp({ maxQueuedFrames: 24, maxStreamFrames: 12 });
  const flood = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      stream: at % 8,
      seen: run(`fast`, { streamId: `fast${at % 8}`, whenFull: 'dropOldest' }),
    }));
  const first = flood(80);
  await settle();
  for (let sent = 0; sent < 10; sent += 1) {
    const before = started.length;
    const slow = run('slow', { streamId: 'slow' });
    flood(40);
    await settle();
    while (slow.settled === 0) {
      open.shift()?.();
      await settle();
    }
    t.is(slow.value, 'slow');
    // One that runs already, and at most two of each of the others.
    t.true(started.indexOf('slow', before) - before <= 16);
  }
  const kept = first.filter(({ seen }) => seen.error === undefined);
  t.true(first.length - kept.length > 40, 'the flood was shed');
  for (const { seen } of first) if (seen.error) t.like(seen.error, { code: 'overloaded' });
  await finish();
});

test('a stream that drops its oldest keeps its newest', async (t) => {
  const { run, finish } = setUp({ maxQueuedFrames: 2 });
  const wish = { whenFull: 'dropOldest' } as const;
  const frames = ['a', 'b', 'c', 'd', 'e'].map((name) => run(name, wish));
  await finish();
  await settle();
  t.deepEqual(
    frames.map(({ value }) => value),
    ['a', undefined, undefined, 'd', 'e'],
  );
});

test('what is kept waits however much does, and leaves others their room', async (t) => {
  const { run, finish } = setUp({ maxQueuedFrames: 2, maxStreamFrames: 2, maxQueuedBytes: 10 });
  run('running');
  const wish = { streamId: 'kept', whenFull: 'keep', byteLength: 6 } as const;
  const kept = Array.from({ length: 10 }, () => run('kept', wish));
  const others = [1, 2, 3].map(() => run('other', { streamId: 'other', byteLength: 3 }));
  await finish();
  t.deepEqual(
    [...kept, ...others].map(({ value }) => value),
    [...Array(10).fill('kept'), 'other', 'other', undefined],
  );
  t.regex(`${others[2]?.error}`, /of this stream waiting for work/);
});

test('bytes are bounded, of all and of one stream', async (t) => {
  const { run, finish } = setUp({ maxQueuedBytes: 10, maxStreamBytes: 6 });
  run('running', { byteLength: 999 });
  const a = [3, 3, 1].map((byteLength) => run('a', { streamId: 'a', byteLength }));
  const b = run('b', { streamId: 'b', byteLength: 5, priority: 'low' });
  await settle();
  t.like(a[2]?.error, { code: 'overloaded' });
  t.like(b.error, { code: 'overloaded' });
  await finish();
});

test('an abort ends at once what waits and what runs, and frees the place of what waits', async (t) => {
  const { run, started, finish } = setUp({ maxQueuedFrames: 1 });
  const leave = new AbortController();
  const running = run('running', {}, leave.signal);
  const waiting = run('waiting', {}, leave.signal);
  await settle();
  leave.abort(new DomainError('cancelled', 'the caller left'));
  await settle();
  t.like(running.error, { code: 'cancelled' });
  t.like(waiting.error, { code: 'cancelled' });
  const next = run('next');
  await finish();
  t.is(next.value, 'next');
  t.deepEqual(started, ['running', 'next']);
});

test('closing refuses what waits and what comes, and ends when nothing runs', async (t) => {
  const { gate, run, finish } = setUp();
  const running = run('running');
  const waiting = run('waiting');
  await settle();
  const closing = [watch(gate.close()), watch(gate.close())];
  const late = run('late');
  await settle();
  t.like(waiting.error, { code: 'draining' });
  t.like(late.error, { code: 'draining' });
  t.throws(() => gate.assertOpen(), { code: 'draining', message: wide.closedMessage });
  t.deepEqual(
    closing.map(({ settled }) => settled),
    [0, 0],
  );
  await finish();
  t.is(running.value, 'running');
  t.deepEqual(
    closing.map(({ settled }) => settled),
    [1, 1],
  );
});
