import test from 'ava';
import fc from 'fast-check';
import { createFrameWindow } from '../../src/rpc/classify/frame-window.js';
import { createOutbox } from '../../src/rpc/classify/outbox.js';
import { overflows } from '../../src/rpc/wire/enums.js';

interface SizedFrame {
  readonly id: number;
  readonly byteLength: number;
  readonly deadlineAtMs: number;
}

test('whatever happens, a window keeps its limits and every frame leaves it once', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...overflows.words),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom('done', 'expire')), {
        maxLength: 60,
      }),
      (overflow, maxInFlight, maxBytes, steps) => {
        const window = createFrameWindow<SizedFrame>({ overflow, maxInFlight, maxBytes });
        const left: number[] = [];
        const active: SizedFrame[] = [];
        const here = new Map<number, number>();
        const leave = (entry: SizedFrame) => {
          left.push(entry.id);
          here.delete(entry.id);
        };
        const activate = () => {
          for (let entry = window.activate(); entry !== null; entry = window.activate()) {
            active.push(entry);
          }
        };
        let next = 0;
        for (const step of steps) {
          if (typeof step === 'number' && (overflow !== 'block' || window.hasRoom)) {
            const entry = { id: next, byteLength: step, deadlineAtMs: step };
            here.set(entry.id, step);
            for (const driven of window.add(entry)) leave(driven);
            next += 1;
          } else if (step === 'done') {
            const entry = active.shift();
            if (entry) {
              leave(entry);
              window.done(entry);
            }
          } else if (step === 'expire') {
            for (const entry of window.takeExpired(5)) leave(entry);
            if (window.nextDeadlineAtMs <= 5) return false;
          }
          activate();
          if (window.size > window.limit) return false;
          if (window.size > 0 && active.length === 0) return false; // would never be answered
          const sizes = [...here.values()];
          const older = sizes.slice(0, -1).reduce((sum, bytes) => sum + bytes, 0);
          // The newest may exceed it, and one that is larger than all of it.
          if (older > maxBytes && sizes.length > 2) return false;
        }
        const all = [...left, ...[...active, ...window.clear()].map(({ id }) => id)];
        all.sort((one, other) => one - other);
        return all.length === next && all.every((id, index) => id === index);
      },
    ),
  );
  t.pass();
});

test('of large frames a dropping stream keeps as many as its bytes allow, the newest', (t) => {
  const window = createFrameWindow<SizedFrame>({
    overflow: 'dropOldest',
    maxInFlight: 64,
    maxBytes: 40,
  });
  const driven: number[] = [];
  for (let id = 0; id < 8; id += 1) {
    driven.push(...window.add({ id, byteLength: 10, deadlineAtMs: 1 }).map((entry) => entry.id));
    while (window.activate() !== null);
  }
  t.deepEqual(driven, [2, 3, 4, 5]);
  t.is(window.size, 4);
  t.deepEqual(
    window.clear().map(({ id }) => id),
    [6, 7],
  );
});

test('in order, answers leave in the order of their frames, whatever the order they come in', (t) => {
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 });
  fc.assert(
    fc.property(order, (positions) => {
      const sent: number[] = [];
      const outbox = createOutbox<number>('inOrder', (answer) => sent.push(answer));
      for (const position of positions) outbox.put(position, position);
      return sent.length === 8 && sent.every((answer, index) => answer === index);
    }),
  );
  t.pass();
});
