import test from 'ava';
import { gateMetrics, refusalOf, scoreRows } from '../../src/evaluation/index.js';

/** Two labels on ten frames each, of which so many are answered. */
function judged(ref: string, found: number) {
  const rows = Array.from({ length: 20 }, (_, at) => ({
    id: `${at}`,
    labelIndices: [at % 2],
    probabilities: Float64Array.from([0, 1], (label) =>
      label === at % 2 && at < found ? 0.9 : 0.1,
    ),
  }));
  return { ref, report: scoreRows(rows, ['a', 'b'], [0.5, 0.5]) };
}

const live = judged('cells@2', 10);
const rule = { metric: 'exact_match', margin: 0.1, set: 'held-out' } as const;

test('a candidate that is better by the margin or more is let through', (t) => {
  t.is(refusalOf({ candidate: judged('cells@3', 12), live }, rule), null);
  t.is(refusalOf({ candidate: judged('cells@3', 20), live }, rule), null);
  t.is(refusalOf({ candidate: judged('cells@3', 10), live }, { ...rule, margin: 0 }), null);
});

test('a candidate that falls short is refused with both numbers and the margin', (t) => {
  t.is(
    refusalOf({ candidate: judged('cells@3', 11), live }, rule),
    'cells@3 stays a candidate: exact match 0.5500 on "held-out" (20 frames), cells@2 which is live has 0.5000, expected a gain of at least 0.1, got 0.0500',
  );
});

test('every metric tells a worse candidate from a better one', (t) => {
  for (const metric of gateMetrics) {
    const candidate = judged('cells@3', 4);
    if (metric === 'macro_average_precision_present') continue;
    t.not(refusalOf({ candidate, live }, { ...rule, metric }), null, metric);
    t.is(refusalOf({ candidate: live, live: candidate }, { ...rule, metric }), null, metric);
  }
});

test('a metric that is not defined beats nothing', (t) => {
  const rows = [{ id: 'a', labelIndices: [], probabilities: Float64Array.of(0.1) }];
  const none = { ref: 'cells@3', report: scoreRows(rows, ['a'], [0.5]) };
  const metric = 'macro_average_precision_present';
  t.regex(refusalOf({ candidate: none, live: none }, { ...rule, metric }) ?? '', /NaN/);
});
