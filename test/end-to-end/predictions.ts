import type { ExecutionContext } from 'ava';
import { readPredictions } from '../../src/evaluation/index.js';

/** Asserts that two files name the same frames in the same order with equal probabilities. */
export async function assertSamePredictions(
  t: ExecutionContext,
  {
    one,
    two,
    tolerance,
  }: {
    readonly one: string;
    readonly two: string;
    readonly tolerance: number;
  },
): Promise<void> {
  const [a, b] = await Promise.all([readPredictions(one), readPredictions(two)]);
  t.deepEqual(a.ids, b.ids);
  t.deepEqual(a.targets, b.targets);
  t.is(a.probabilities.length, b.probabilities.length);
  let largest = 0;
  for (const [at, probability] of a.probabilities.entries()) {
    largest = Math.max(largest, Math.abs(probability - (b.probabilities[at] ?? Number.NaN)));
  }
  t.log(`largest difference of ${a.probabilities.length} probabilities: ${largest}`);
  t.true(largest <= tolerance, `differ by ${largest}`);
}
