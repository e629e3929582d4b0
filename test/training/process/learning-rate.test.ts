import test from 'ava';
import { learningRateAfter } from '../../../src/training/process/learning-rate.js';

test("the rate of a step is that of Keras's Adam(1e-3, decay=1e-3/60)", (t) => {
  const rate = (stepsDone: number) =>
    learningRateAfter(stepsDone, { learningRate: 1e-3, epochs: 60 });
  t.is(rate(0), 1e-3);
  // 1e-3 / (1 + 1e-3 / 60 * n), by hand.
  t.true(Math.abs(rate(1) - 9.999833336111e-4) < 1e-15);
  t.true(Math.abs(rate(60_000) - 5e-4) < 1e-15);
});
