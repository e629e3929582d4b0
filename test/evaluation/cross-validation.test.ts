import test from 'ava';
import {
  formatCrossValidation,
  scoreRows,
  spreadOf,
  summariseFolds,
} from '../../src/evaluation/index.js';

test('mean and deviation are those of n - 1', (t) => {
  // statistics.stdev([2, 4, 4, 4, 5, 5, 7, 9]) of Python 3.11.
  const { mean, deviation, least, most } = spreadOf([2, 4, 4, 4, 5, 5, 7, 9]);
  t.is(mean, 5);
  t.true(Math.abs(deviation - 2.138089935299395) < 1e-12);
  t.deepEqual([least, most], [2, 9]);
  t.is(spreadOf([3]).deviation, 0);
});

test('a label is averaged over the folds that have it', (t) => {
  const fold = (label: number, probability: number) =>
    scoreRows(
      [
        {
          id: 'a',
          labelIndices: [label],
          probabilities: Float64Array.of(probability, probability, 0),
        },
      ],
      ['a', 'b', 'c'],
      [0.5, 0.5, 0.5],
    );
  const summary = summariseFolds([fold(0, 0.9), fold(0, 0.1), fold(1, 0.9)]);
  t.like(summary.labels[0], { support: 2, f1: { mean: 0.5, least: 0, most: 1 } });
  t.like(summary.labels[1], { support: 1, f1: { mean: 1, deviation: 0 } });
  t.is(summary.labels[2]?.f1, null);
  const text = formatCrossValidation(summary);
  t.true(text.includes('always answering "no"') && text.includes('3 folds'));
  t.false(text.includes('NaN'));
});
