import test from 'ava';
import fc from 'fast-check';
import { createFrameWindow } from '../../src/rpc/classify/frame-window.js';
import { createOutbox } from '../../src/rpc/classify/outbox.js';
import { overflows } from '../../src/rpc/wire/enums.js';

test('whatever happens, a window keeps its limit and every frame leaves it once', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...overflows.words),
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.constantFrom('add', 'done'), { maxLength: 60 }),
      (overflow, maxInFlight, steps) => {
        const window = createFrameWindow<number>({ overflow, maxInFlight });
        const left: number[] = [];
        const active: number[] = [];
        const activate = () => {
          for (let entry = window.activate(); entry !== null; entry = window.activate()) {
            active.push(entry);
          }
        };
        let next = 0;
        for (const step of steps) {
          if (step === 'add' && (overflow !== 'block' || window.hasRoom)) {
            left.push(...window.add(next));
            next += 1;
          } else if (step === 'done' && active.length > 0) {
            left.push(active.shift() as number);
            window.done();
          }
          activate();
          if (window.size > window.limit) return false;
          if (window.size > 0 && active.length === 0) return false; // would never be answered
        }
        const all = [...left, ...active, ...window.clear()].sort((a, b) => a - b);
        return all.length === next && all.every((entry, index) => entry === index);
      },
    ),
  );
  t.pass();
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
