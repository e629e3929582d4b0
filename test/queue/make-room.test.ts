import test from 'ava';
import fc from 'fast-check';
import { type Bounds, FairQueue, makeRoom, type Newcomer } from '../../src/queue/index.js';
import { deadlineOf, entryOf, priorityOf, streamOf, type TestEntry } from './waiting-for-tests.js';

const wide = {
  maxQueuedFrames: 100,
  maxQueuedBytes: 1000,
  maxStreamFrames: 100,
  maxStreamBytes: 1000,
};
const newcomer = fc.record({
  priority: priorityOf,
  streamId: streamOf,
  deadlineAtMs: deadlineOf,
  byteLength: fc.integer({ min: 1, max: 12 }),
  whenFull: fc.constantFrom('keep' as const, 'dropOldest' as const, 'refuse' as const),
});
const bounds = fc.record({
  maxQueuedFrames: fc.integer({ min: 1, max: 8 }),
  maxQueuedBytes: fc.integer({ min: 4, max: 40 }),
  maxStreamFrames: fc.integer({ min: 1, max: 5 }),
  maxStreamBytes: fc.integer({ min: 4, max: 25 }),
});

/** Lets each in that there is room for, or room is made for; answers who had to go. */
function play(wishes: readonly Partial<Newcomer>[], within: Bounds) {
  const queue = new FairQueue<TestEntry>();
  return wishes.map((wish) => {
    const entry = entryOf(wish, queue);
    const before = [...waitingIn(queue)];
    let refusal: unknown = null;
    try {
      makeRoom(queue, entry, within, 'here');
      queue.add(entry);
    } catch (thrown) {
      refusal = thrown;
    }
    const victims = before.filter(({ shedWith }) => shedWith !== null);
    return { queue, entry, before, refusal, victims, after: [...waitingIn(queue)] };
  });
}

function* waitingIn(queue: FairQueue<TestEntry>): Iterable<TestEntry> {
  for (const priority of ['high', 'normal', 'low'] as const) {
    for (const [, line] of queue.lines(priority)) yield* line;
  }
}

const bytesOf = (entries: readonly TestEntry[]) =>
  entries.reduce((sum, { byteLength }) => sum + byteLength, 0);
const sheddable = (entries: readonly TestEntry[]) =>
  entries.filter(({ whenFull }) => whenFull !== 'keep');
const ofStream = (entries: readonly TestEntry[], stream: string) =>
  entries.filter(({ streamId }) => streamId === stream);
const ranks = { high: 2, normal: 1, low: 0 } as const;

test('what may be shed stays within the bounds, what is kept is let in, and nobody goes in vain', (t) => {
  fc.assert(
    fc.property(fc.array(newcomer, { maxLength: 40 }), bounds, (wishes, within) => {
      for (const { entry, before, refusal, victims, after } of play(wishes, within)) {
        const open = sheddable(after);
        if (open.length > within.maxQueuedFrames) return false;
        if (bytesOf(open) > within.maxQueuedBytes) return false;
        for (const stream of ['a', 'b', 'c', 'd']) {
          const own = ofStream(open, stream);
          if (own.length > within.maxStreamFrames) return false;
          if (bytesOf(own) > within.maxStreamBytes) return false;
        }
        if (entry.whenFull === 'keep' && (refusal || victims.length > 0)) return false;
        if (refusal && victims.length > 0) return false;
        // Refused only where it would not have fitted.
        const openBefore = sheddable(before);
        const fits =
          openBefore.length < within.maxQueuedFrames &&
          bytesOf(openBefore) + entry.byteLength <= within.maxQueuedBytes &&
          ofStream(openBefore, entry.streamId).length < within.maxStreamFrames &&
          bytesOf(ofStream(openBefore, entry.streamId)) + entry.byteLength <= within.maxStreamBytes;
        if (fits && (refusal || victims.length > 0)) return false;
      }
      return true;
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

test('who has to go is of a lower priority, or of a longer stream, or the own oldest', (t) => {
  fc.assert(
    fc.property(fc.array(newcomer, { maxLength: 40 }), bounds, (wishes, within) => {
      for (const { entry, victims, after } of play(wishes, within)) {
        for (const victim of victims) {
          if (victim.whenFull === 'keep') return false;
          if (ranks[victim.priority] > ranks[entry.priority]) return false;
          if (ranks[victim.priority] < ranks[entry.priority]) continue;
          const lineOf = (streamId: string) =>
            ofStream(sheddable(after), streamId).filter(
              ({ priority }) => priority === entry.priority,
            );
          const [theirs, own] = [lineOf(victim.streamId), lineOf(entry.streamId)];
          if (victim.streamId === entry.streamId) {
            if (entry.whenFull !== 'dropOldest') return false;
          } else if (theirs.length < own.length && bytesOf(theirs) < bytesOf(own)) return false;
        }
      }
      return true;
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

/** Who had to go for the last of these, by their numbers from 1 up. */
function shedFor(wishes: readonly Partial<Newcomer>[], within: Partial<Bounds>) {
  const played = play(wishes, { ...wide, ...within });
  const last = played.at(-1);
  const first = played[0]?.entry.name ?? 0;
  return {
    isRefused: last?.refusal !== null,
    shed: last?.victims.map(({ name }) => name - first + 1),
  };
}

const times = (count: number, wish: Partial<Newcomer>): Partial<Newcomer>[] =>
  Array(count).fill(wish);

test('the longest stream loses its last', (t) => {
  const wishes = [...times(3, { streamId: 'fast' }), { streamId: 'slow' }];
  t.deepEqual(shedFor(wishes, { maxQueuedFrames: 3 }), { isRefused: false, shed: [3] });
});

test('a stream that drops its oldest loses that, to another and to itself', (t) => {
  const fast = { streamId: 'fast', whenFull: 'dropOldest' } as const;
  const another = [...times(3, fast), { streamId: 'slow' }];
  t.deepEqual(shedFor(another, { maxQueuedFrames: 3 }), { isRefused: false, shed: [1] });
  t.deepEqual(shedFor(times(4, fast), { maxQueuedFrames: 3 }), { isRefused: false, shed: [1] });
  t.deepEqual(shedFor(times(4, fast), { maxStreamFrames: 3 }), { isRefused: false, shed: [1] });
  // The oldest, not the one whose deadline is the next.
  const urgent = [...times(2, fast), { ...fast, deadlineAtMs: 5 }, fast];
  t.deepEqual(shedFor(urgent, { maxQueuedFrames: 3 }), { isRefused: false, shed: [1] });
});

test('who has to go is told the bound that there was too much for', (t) => {
  const fast = { streamId: 'fast', whenFull: 'dropOldest' } as const;
  const toldBy = (wishes: readonly Partial<Newcomer>[], within: Partial<Bounds>) =>
    play(wishes, { ...wide, ...within })
      .at(-1)
      ?.victims.map(({ shedWith }) => shedWith?.message);
  const ofStream = 'expected at most 2 frames and 1000 bytes of this stream here';
  t.deepEqual(toldBy(times(3, fast), { maxStreamFrames: 2 }), [ofStream]);
  const ofAll = 'expected at most 2 frames and 1000 bytes here';
  t.deepEqual(toldBy(times(3, fast), { maxQueuedFrames: 2 }), [ofAll]);
  // The stream has one too many, and the queue too many bytes.
  const both = [...times(2, { ...fast, byteLength: 5 }), { ...fast, byteLength: 8 }];
  t.deepEqual(toldBy(both, { maxStreamFrames: 2, maxQueuedBytes: 10 }), [
    ofStream,
    'expected at most 100 frames and 10 bytes here',
  ]);
});

test('a stream that has no more than the others is refused', (t) => {
  const one = [...times(2, { streamId: 'a' }), { streamId: 'b' }, { streamId: 'b' }];
  t.deepEqual(shedFor(one, { maxQueuedFrames: 3 }), { isRefused: true, shed: [] });
});

test('where bytes run out, the stream with the most bytes makes room', (t) => {
  const large = times(3, { streamId: 'large', byteLength: 30 });
  const small = { streamId: 'small', byteLength: 2 };
  const wishes = [...large, ...times(6, small)];
  t.deepEqual(shedFor(wishes, { maxQueuedBytes: 100 }), { isRefused: false, shed: [3] });
});

test('a large one may need the room of several', (t) => {
  const wishes = [...times(50, { byteLength: 2 }), { streamId: 'large', byteLength: 30 }];
  const shed = Array.from({ length: 15 }, (_, at) => 36 + at);
  t.deepEqual(shedFor(wishes, { maxQueuedBytes: 100 }), { isRefused: false, shed });
});

test('where those who have to make room have too little, none of them does', (t) => {
  const small = times(20, { streamId: 'small', byteLength: 2 });
  const [one, other] = [
    { streamId: 'one', byteLength: 60 },
    { streamId: 'other', byteLength: 30 },
  ];
  t.deepEqual(shedFor([...small, one, other], { maxQueuedBytes: 100 }), {
    isRefused: true,
    shed: [],
  });
});

test('a stream of one large frame does not keep the next longest from making room', (t) => {
  const small = times(20, { streamId: 'small', byteLength: 2 });
  const wishes = [...small, { streamId: 'one', byteLength: 60 }, { streamId: 'other' }];
  t.deepEqual(shedFor(wishes, { maxQueuedBytes: 100 }), { isRefused: false, shed: [20] });
});
