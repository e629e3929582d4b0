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

/** 100 frames of "a", a few of "b" too; three labels more that no frame has. */
function answered(ref: string, given: (label: number, at: number) => boolean) {
  const labels = ['a', 'b', 'c', 'd', 'e'];
  const rows = Array.from({ length: 100 }, (_, at) => ({
    id: `${at}`,
    labelIndices: at < 2 ? [0, 1] : [0],
    probabilities: Float64Array.from(labels, (_, label) => (given(label, at) ? 0.9 : 0.1)),
  }));
  return { ref, report: scoreRows(rows, labels, [0.5, 0.5, 0.5, 0.5, 0.5]) };
}

/** Right but for two of the frames, which it has no label for. */
const careful = answered('cells@1', (label, at) => at >= 2 && label === 0);

test('a candidate that gives labels that no frame has is refused, whatever is compared', (t) => {
  // All that is there is found, and every other label is given to every frame.
  const everything = answered('cells@2', (label, at) => label !== 1 || at < 2);
  t.is(everything.report.macroF1Present, 1);
  t.is(everything.report.exactMatch, 0);
  t.is(careful.report.exactMatch, 0.98);
  for (const metric of gateMetrics) {
    for (const margin of [0, 0.01]) {
      const refusal = refusalOf(
        { candidate: everything, live: careful },
        { ...rule, metric, margin },
      );
      t.regex(refusal ?? '', /^cells@2 stays a candidate: (micro F1|exact match) 0\./, metric);
    }
  }
  t.is(
    refusalOf(
      { candidate: everything, live: careful },
      { metric: 'macro_f1_present', margin: 0.01, set: 'held-out' },
    ),
    'cells@2 stays a candidate: micro F1 0.4048 on "held-out" (100 frames), cells@1 which is live has 0.9800, expected a loss of at most 0.01 where only macro F1 of the present labels need gain, got -0.5752',
  );
});

test('a candidate that gives another label now and then may make up for it', (t) => {
  const rule = { metric: 'macro_f1_present', margin: 0.01, set: 'held-out' } as const;
  const slips = answered('cells@2', (label, at) => label === 0 || (label === at && at < 5));
  t.is(refusalOf({ candidate: slips, live: careful }, rule), null);
});
