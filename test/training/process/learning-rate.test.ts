import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { packageRoot } from '../../../src/package-root.js';
import { learningRateAfter } from '../../../src/training/process/learning-rate.js';

test("the rate of a step is that of Keras's Adam(1e-3, decay=1e-3/60)", (t) => {
  const rate = (stepsDone: number) =>
    learningRateAfter(stepsDone, {
      learningRate: 1e-3,
      epochs: 60,
      schedule: 'decay',
      warmUp: 0.05,
      totalSteps: 60_000,
    });
  t.is(rate(0), 1e-3);
  // 1e-3 / (1 + 1e-3 / 60 * n), by hand.
  t.true(Math.abs(rate(1) - 9.999833336111e-4) < 1e-15);
  t.true(Math.abs(rate(60_000) - 5e-4) < 1e-15);
});

test("a cosine's rates are those of PyTorch's LinearLR and CosineAnnealingLR in turn", (t) => {
  const { cosine } = JSON.parse(
    readFileSync(join(packageRoot, 'test/golden/trainer-choices.json'), 'utf8'),
  );
  const { learningRate, totalSteps, warmUpSteps, rates } = cosine as {
    readonly learningRate: number;
    readonly totalSteps: number;
    readonly warmUpSteps: number;
    readonly rates: readonly number[];
  };
  const options = { learningRate, epochs: 4, schedule: 'cosine', totalSteps } as const;
  for (const [stepsDone, expected] of rates.entries()) {
    const rate = learningRateAfter(stepsDone, { ...options, warmUp: warmUpSteps / totalSteps });
    // PyTorch multiplies its way from step to step, which adds up roundings.
    t.true(Math.abs(rate - expected) < 1e-15, `step ${stepsDone}: ${rate}, not ${expected}`);
  }
});

test('a cosine of one step, and one of warm-up alone, have a rate', (t) => {
  const options = { learningRate: 1, epochs: 1, schedule: 'cosine' } as const;
  t.is(learningRateAfter(0, { ...options, totalSteps: 1, warmUp: 0.05 }), 1);
  t.is(learningRateAfter(2, { ...options, totalSteps: 3, warmUp: 0.99 }), 1);
  // A run never goes beyond its last step; if it did, the rate would not rise again.
  t.is(learningRateAfter(9, { ...options, totalSteps: 3, warmUp: 0.05 }), 0);
});
