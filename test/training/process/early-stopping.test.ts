import test from 'ava';
import { createEarlyStopping } from '../../../src/training/process/early-stopping.js';

const observeAll = (patience: number, losses: readonly number[]) => {
  const stopping = createEarlyStopping(patience);
  return losses.map((loss) => stopping.observe(loss));
};

test('a run is over after as many epochs without a lower loss as it has patience', (t) => {
  const observed = observeAll(2, [0.5, 0.4, 0.45, 0.41]);
  t.deepEqual(
    observed.map(({ isBest }) => isBest),
    [true, true, false, false],
  );
  t.deepEqual(
    observed.map(({ isOver }) => isOver),
    [false, false, false, true],
  );
});

test('a lower loss gives a run its whole patience again', (t) => {
  const observed = observeAll(2, [0.5, 0.6, 0.4, 0.6, 0.3, 0.6]);
  t.true(observed.every(({ isOver }) => !isOver));
});

test('an equal loss is no better one', (t) => {
  const [, second] = observeAll(1, [0.5, 0.5]);
  t.deepEqual(second, { isBest: false, isOver: true });
});
