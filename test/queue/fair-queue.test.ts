import test from 'ava';
import fc from 'fast-check';
import { FairQueue, type Newcomer } from '../../src/queue/index.js';
import {
  deadlineOf,
  entryOf,
  priorityOf,
  streamOf,
  type TestEntry,
  takeAll,
} from './waiting-for-tests.js';

const ranks = { high: 0, normal: 1, low: 2 } as const;

const newcomer: fc.Arbitrary<Partial<Newcomer>> = fc.record({
  priority: priorityOf,
  streamId: streamOf,
  deadlineAtMs: deadlineOf,
  whenFull: fc.constantFrom('keep', 'dropOldest', 'refuse'),
  byteLength: fc.integer({ min: 1, max: 9 }),
});
const newcomers = fc.array(newcomer, { maxLength: 60 });

function filledWith(wishes: readonly Partial<Newcomer>[]) {
  const queue = new FairQueue<TestEntry>();
  const entries = wishes.map((wish) => entryOf(wish, queue));
  for (const entry of entries) queue.add(entry);
  return { queue, entries };
}

test('everything comes out once: by priority, then in turns, then by deadline', (t) => {
  fc.assert(
    fc.property(newcomers, (wishes) => {
      const { queue, entries } = filledWith(wishes);
      const taken = takeAll(queue);
      if (new Set(taken).size !== entries.length) return false;
      for (const priority of ['high', 'normal', 'low'] as const) {
        const level = taken.filter((entry) => entry.priority === priority);
        const counts = new Map<string, number>();
        for (const [at, { streamId }] of level.entries()) {
          counts.set(streamId, (counts.get(streamId) ?? 0) + 1);
          // Whoever still waits has had at most one turn less than whoever had the most.
          const waiting = new Set(level.slice(at + 1).map((entry) => entry.streamId));
          const most = Math.max(...counts.values());
          for (const stream of waiting) {
            if (most - (counts.get(stream) ?? 0) > 1) return false;
          }
        }
        for (const stream of counts.keys()) {
          const own = level.filter(({ streamId }) => streamId === stream);
          const isInOrder = own.every((entry, at) => {
            const before = own[at - 1];
            if (!before) return true;
            if (before.deadlineAtMs !== entry.deadlineAtMs) {
              return before.deadlineAtMs < entry.deadlineAtMs;
            }
            return before.queuedAtMs < entry.queuedAtMs;
          });
          if (!isInOrder) return false;
        }
      }
      return taken.every(
        ({ priority }, at) => ranks[priority] >= ranks[taken[at - 1]?.priority ?? 'high'],
      );
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('of streams that have not had their turn, the one with the earliest deadline is next', (t) => {
  fc.assert(
    fc.property(fc.array(newcomer, { maxLength: 20 }), (wishes) => {
      const { queue, entries } = filledWith(wishes.map((wish) => ({ ...wish, priority: 'low' })));
      const isServed = new Set<string>();
      const waiting = new Set(entries);
      for (const entry of takeAll(queue)) {
        const rest = [...waiting].filter(({ streamId }) => !isServed.has(streamId));
        // A round is over.
        if (rest.length === 0) isServed.clear();
        const rivals = rest.length === 0 ? [...waiting] : rest;
        if (rivals.some(({ deadlineAtMs }) => deadlineAtMs < entry.deadlineAtMs)) return false;
        isServed.add(entry.streamId);
        waiting.delete(entry);
      }
      return true;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('no stream waits for more than two of each other, whoever comes and goes meanwhile', (t) => {
  const add = fc.record({
    kind: fc.constant('add' as const),
    // Now and then one that was never there, and urgent.
    streamId: fc.oneof(streamOf, fc.integer({ min: 0, max: 1000 }).map(String)),
    deadlineAtMs: deadlineOf,
  });
  const take = fc.record({ kind: fc.constant('take' as const) });
  const remove = fc.record({ kind: fc.constant('remove' as const), at: fc.nat({ max: 30 }) });
  const step = fc.oneof(
    { weight: 5, arbitrary: add },
    { weight: 5, arbitrary: take },
    { weight: 1, arbitrary: remove },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const queue = new FairQueue<TestEntry>();
      const waiting = new Set<TestEntry>();
      /** Turns of others since a stream that waits had its own, by stream. */
      const passedOver = new Map<string, Map<string, number>>();
      const forgetEmpty = () => {
        const streams = new Set([...waiting].map(({ streamId }) => streamId));
        for (const stream of passedOver.keys()) {
          if (!streams.has(stream)) passedOver.delete(stream);
        }
        for (const stream of streams) {
          if (!passedOver.has(stream)) passedOver.set(stream, new Map());
        }
      };
      for (const one of steps) {
        if (one.kind === 'add') {
          const entry = entryOf(one, queue);
          queue.add(entry);
          waiting.add(entry);
        } else if (one.kind === 'remove') {
          const entry = [...waiting][one.at];
          if (entry) queue.remove(entry);
          if (entry) waiting.delete(entry);
        } else {
          const entry = queue.take();
          if (!entry) continue;
          waiting.delete(entry);
          passedOver.delete(entry.streamId);
          for (const counts of passedOver.values()) {
            const count = (counts.get(entry.streamId) ?? 0) + 1;
            if (count > 2) return false;
            counts.set(entry.streamId, count);
          }
        }
        forgetEmpty();
        if (queue.frames !== waiting.size) return false;
      }
      return true;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('a stream of one that comes to a busy one waits for one of its frames, however many it has', (t) => {
  for (const count of [1, 2, 50, 500]) {
    for (const already of [0, 1, 5]) {
      const { queue } = filledWith(Array(count).fill({ streamId: 'fast' }));
      for (let index = 0; index < already; index += 1) queue.take();
      const slow = entryOf({ streamId: 'slow' }, queue);
      const ahead = queue.ahead(slow);
      queue.add(slow);
      t.is(takeAll(queue).indexOf(slow), ahead);
      t.true(ahead <= 1);
    }
  }
});

test('how many go before a newcomer is known before it is queued', (t) => {
  fc.assert(
    fc.property(
      newcomers,
      newcomer,
      fc.nat({ max: 20 }),
      fc.gen(),
      (wishes, last, already, gen) => {
        // No two deadlines are alike, so that there is one order.
        const deadlines = gen(() =>
          fc.shuffledSubarray([...wishes.keys(), wishes.length], { minLength: wishes.length + 1 }),
        );
        const { queue } = filledWith(
          wishes.map((wish, at) => ({ ...wish, deadlineAtMs: deadlines[at] ?? 0 })),
        );
        for (let taken = 0; taken < already; taken += 1) queue.take();
        const one = entryOf({ ...last, deadlineAtMs: deadlines.at(-1) ?? 0 }, queue);
        const ahead = queue.ahead(one);
        queue.add(one);
        return takeAll(queue).indexOf(one) === ahead;
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

test('frames and bytes are counted: all, what may be shed, and that of each stream', (t) => {
  fc.assert(
    fc.property(newcomers, fc.array(fc.nat({ max: 80 })), (wishes, removed) => {
      const { queue, entries } = filledWith(wishes);
      const left = new Set(entries);
      for (const at of removed) {
        const entry = entries[at];
        if (entry && queue.remove(entry) !== left.delete(entry)) return false;
      }
      const sumOf = (of: readonly TestEntry[]) => ({
        frames: of.length,
        bytes: of.reduce((sum, { byteLength }) => sum + byteLength, 0),
      });
      const sheddable = [...left].filter(({ whenFull }) => whenFull !== 'keep');
      const streams = ['a', 'b', 'c', 'd'];
      t.deepEqual({ frames: queue.frames, bytes: queue.bytes }, sumOf([...left]));
      t.deepEqual(queue.sheddable, sumOf(sheddable));
      t.deepEqual(
        streams.map((stream) => queue.ofStream(stream)),
        streams.map((stream) => sumOf(sheddable.filter(({ streamId }) => streamId === stream))),
      );
      takeAll(queue);
      t.deepEqual(queue.sheddable, { frames: 0, bytes: 0 });
      return true;
    }),
    { numRuns: 300 },
  );
});
