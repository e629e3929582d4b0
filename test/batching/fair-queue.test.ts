import test from 'ava';
import fc from 'fast-check';
import { FairQueue } from '../../src/batching/fair-queue.js';
import type { Ticket } from '../../src/batching/ticket.js';

const ranks = { high: 0, normal: 1, low: 2 } as const;

const tickets: fc.Arbitrary<Ticket[]> = fc.array(
  fc.record({
    priority: fc.constantFrom('high' as const, 'normal' as const, 'low' as const),
    streamId: fc.constantFrom('a', 'b', 'c', 'd'),
    deadlineAtMs: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(Number.POSITIVE_INFINITY)),
    pixels: fc.constant(new Uint8Array(8)),
    queuedAtMs: fc.constant(0),
    isSettled: fc.constant(false),
    isKept: fc.constant(false),
    retries: fc.constant(0),
    settle: fc.constant(() => {}),
    drop: fc.constant(() => {}),
  }),
  { maxLength: 60 },
);

function takeAll(queue: FairQueue): Ticket[] {
  const taken: Ticket[] = [];
  for (let next = queue.take(); next; next = queue.take()) taken.push(next);
  return taken;
}

test('everything comes out once: by priority, then in turns, then by deadline', (t) => {
  fc.assert(
    fc.property(tickets, (all) => {
      const queue = new FairQueue();
      for (const ticket of all) queue.add(ticket);
      if (queue.frames !== all.length || queue.bytes !== all.length * 8) return false;
      const taken = takeAll(queue);
      if (new Set(taken).size !== all.length || queue.frames + queue.bytes !== 0) return false;
      for (const priority of ['high', 'normal', 'low'] as const) {
        const level = taken.filter((ticket) => ticket.priority === priority);
        const counts = new Map<string, number>();
        for (const [at, { streamId }] of level.entries()) {
          counts.set(streamId, (counts.get(streamId) ?? 0) + 1);
          // Whoever still waits has had at most one turn less than whoever had the most.
          const waiting = new Set(level.slice(at + 1).map((ticket) => ticket.streamId));
          const most = Math.max(...counts.values());
          for (const stream of waiting) {
            if (most - (counts.get(stream) ?? 0) > 1) return false;
          }
        }
        for (const stream of counts.keys()) {
          const deadlines = level
            .filter(({ streamId }) => streamId === stream)
            .map(({ deadlineAtMs }) => deadlineAtMs);
          if (deadlines.some((deadline, at) => deadline < (deadlines[at - 1] ?? 0))) return false;
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

test('a stream of one waits for at most one frame of each other, however many they have', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 0, max: 5 }),
      (count, already) => {
        const [sample] = fc.sample(tickets, { numRuns: 1, seed: 1 });
        const base = sample?.[0] as Ticket;
        const of = (streamId: string): Ticket => ({
          ...base,
          streamId,
          priority: 'normal',
          deadlineAtMs: Number.POSITIVE_INFINITY,
        });
        const queue = new FairQueue();
        for (let index = 0; index < count; index += 1) queue.add(of('fast'));
        for (let index = 0; index < already; index += 1) queue.take();
        const slow = of('slow');
        const ahead = queue.ahead(slow);
        queue.add(slow);
        return takeAll(queue).indexOf(slow) === ahead && ahead <= 1;
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});

test('how many run before a newcomer is known before it is queued', (t) => {
  fc.assert(
    fc.property(tickets, (all) => {
      const newcomer = all.pop();
      if (!newcomer) return true;
      const queue = new FairQueue();
      for (const ticket of all) queue.add(ticket);
      const ahead = queue.ahead(newcomer);
      queue.add(newcomer);
      const place = takeAll(queue).indexOf(newcomer);
      // Streams whose turn has not come yet may go once more or once less.
      return Math.abs(place - ahead) <= 4;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
