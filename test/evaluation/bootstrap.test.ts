import test from 'ava';
import { drawsOf, intervalsOf } from '../../src/evaluation/bootstrap.js';
import { score } from '../../src/evaluation/index.js';
import { rankedLabels } from '../../src/evaluation/ranked-labels.js';
import { scoresOf, tallyOf, unitsOf } from '../../src/evaluation/tally.js';
import { golden, rankingGolden, scored } from './golden.js';

const measures = [
  'macroF1Present',
  'macroF1TrueOrGiven',
  'microF1',
  'exactMatch',
  'binaryAccuracy',
] as const;
const once = (unitCount: number) => new Float64Array(unitCount).fill(1);

for (const [at, given] of golden.intervals.entries()) {
  const set = { ...scored(given), thresholds: given.targets[0]?.map(() => 0.5) ?? [] };
  const groups = given.targets.map((_, frame) =>
    given.groups === null ? null : `${given.groups[frame]}`,
  );
  const tally = tallyOf(set, unitsOf(groups));

  test(`intervals over given draws are numpy's over scikit-learn's scores: case ${at}`, (t) => {
    const intervals = intervalsOf(
      set,
      groups,
      { resampleCount: given.draws.length },
      (resample) => given.draws[resample] ?? [],
    );
    for (const measure of measures) {
      const [low, high] = given.exact[measure] ?? [0, 0];
      t.true(Math.abs(intervals[measure].low - low) < 1e-12, `${measure} ${low}`);
      t.true(Math.abs(intervals[measure].high - high) < 1e-12, `${measure} ${high}`);
    }
  });

  test(`intervals over draws of ours are those over numpy's, as far as draws agree: case ${at}`, (t) => {
    const intervals = intervalsOf(set, groups, { resampleCount: 4000 });
    t.is(intervals.unit, given.groups === null ? 'frame' : 'group');
    for (const measure of measures) {
      const [low, high, error] = given.reference[measure] ?? [0, 0, 0];
      // An end of 4000 draws has a standard error of 0.04 times the score's; two of them
      // differ by less than five times its root of two, and scores of few frames go in steps.
      const margin = 0.3 * error + 1 / tally.unitCount / 10;
      t.true(Math.abs(intervals[measure].low - low) < margin, `${measure} ${low}`);
      t.true(Math.abs(intervals[measure].high - high) < margin, `${measure} ${high}`);
    }
  });

  test(`scores of every unit once are those of the report: case ${at}`, (t) => {
    const report = score(set);
    const scores = scoresOf(tally, once(tally.unitCount));
    for (const measure of [...measures, 'macroF1', 'weightedF1'] as const) {
      t.true(Math.abs(scores[measure] - report[measure]) < 1e-12, measure);
    }
    t.deepEqual(
      [...scores.labels],
      report.labels.map(({ f1 }) => f1 ?? 0),
    );
    const ranked = rankedLabels(set, unitsOf(groups))(once(tally.unitCount));
    for (const [label, { auroc, averagePrecision }] of report.labels.entries()) {
      const near = (found: number | undefined, of: number | null) =>
        of === null ? Number.isNaN(found) : Math.abs((found ?? 0) - of) < 1e-12;
      t.true(near(ranked.auroc[label], auroc), `AUROC of ${label}`);
      t.true(near(ranked.averagePrecision[label], averagePrecision), `precision of ${label}`);
    }
  });
}

for (const [at, given] of rankingGolden.cases.entries()) {
  test(`intervals of AUROC and average precision are numpy's over scikit-learn's scores: case ${at}`, (t) => {
    const set = { ...scored(given), thresholds: given.targets[0]?.map(() => 0.5) ?? [] };
    const groups = given.targets.map((_, frame) =>
      given.groups === null ? null : `${given.groups[frame]}`,
    );
    const intervals = intervalsOf(
      set,
      groups,
      { resampleCount: given.draws.length },
      (resample) => given.draws[resample] ?? [],
    );
    const isNear = (
      found: { readonly low: number; readonly high: number } | null | undefined,
      expected: readonly [number, number] | null | undefined,
      what: string,
    ) => {
      if (!found || !expected) {
        t.is(found, expected as null, what);
        return;
      }
      // Sums in another order.
      t.true(Math.abs(found.low - expected[0]) < 1e-12, `${what}: ${found.low} ${expected[0]}`);
      t.true(Math.abs(found.high - expected[1]) < 1e-12, `${what}: ${found.high} ${expected[1]}`);
    };
    isNear(intervals.macroAurocPresent, given.macro.auroc, 'macro AUROC');
    isNear(intervals.macroAveragePrecisionPresent, given.macro.averagePrecision, 'macro precision');
    isNear(intervals.weightedF1, given.weightedF1, 'weighted F1');
    for (const [label, ranking] of intervals.rankings.entries()) {
      isNear(ranking.auroc, given.labels.auroc[label], `AUROC of ${label}`);
      isNear(
        ranking.averagePrecision,
        given.labels.averagePrecision[label],
        `precision of ${label}`,
      );
    }
  });
}

test('where no frame has a label nothing ranks it, and no interval says so', (t) => {
  const set = { probabilities: Float64Array.of(0.1, 0.9), targets: new Uint8Array(2) };
  const intervals = intervalsOf({ ...set, labels: ['a'], thresholds: [0.5] }, [null, null], {
    resampleCount: 10,
  });
  t.deepEqual(intervals.rankings, [{ auroc: null, averagePrecision: null }]);
  t.is(intervals.macroAurocPresent, null);
  t.is(intervals.macroAveragePrecisionPresent, null);
});

test('the same seed draws the same, resample by resample; another draws others', (t) => {
  const drawn = (seed: number, resample: number) => [...Array.from(drawsOf(20, seed)(resample))];
  t.deepEqual(drawn(3, 7), drawn(3, 7));
  t.notDeepEqual(drawn(3, 7), drawn(3, 8));
  t.notDeepEqual(drawn(3, 7), drawn(4, 7));
});

test('weights are exponential: above 0, with mean 1 and variance 1', (t) => {
  const drawn = [...Array.from(drawsOf(20_000, 3)(0))];
  const mean = drawn.reduce((sum, weight) => sum + weight, 0) / drawn.length;
  const square = drawn.reduce((sum, weight) => sum + weight ** 2, 0) / drawn.length;
  t.true(drawn.every((weight) => weight > 0));
  // Standard errors of 20,000 draws: 0.007 and 0.03.
  t.true(Math.abs(mean - 1) < 0.035, `${mean}`);
  t.true(Math.abs(square - 2) < 0.16, `${square}`);
});

test('a label of one field counts in every draw, and no draw is over fewer labels', (t) => {
  // 40 fields of a label that is found in half of them, one field of a label that is missed.
  const fields = Array.from({ length: 41 }, (_, field) => field);
  const set = {
    probabilities: Float64Array.from(fields.flatMap((field) => [field % 2 === 0 ? 0.9 : 0.1, 0.1])),
    targets: Uint8Array.from(fields.flatMap((field) => [Number(field > 0), Number(field === 0)])),
    ...{ labels: ['a', 'rare'], thresholds: [0.5, 0.5] },
  };
  const groups = fields.map(String);
  const intervals = intervalsOf(set, groups, { resampleCount: 500 });
  // Without the rare label a draw would have twice as much.
  t.true(intervals.macroF1Present.high < 0.45, `${intervals.macroF1Present.high}`);
  const { labels } = score(set);
  const [a = 0] = labels.map(({ f1 }) => f1 ?? Number.NaN);
  t.true(Math.abs(score(set).macroF1Present - a / 2) < 1e-12);
  t.deepEqual(intervals.labels[1], { low: 0, high: 0 });
  // Nor does one whose weights leave it out.
  const weights = once(41);
  weights[0] = 0;
  const scores = scoresOf(tallyOf(set, unitsOf(groups)), weights);
  t.is(scores.macroF1Present, (scores.labels[0] ?? 0) / 2);
});

test('a label that no frame has has no interval', (t) => {
  const set = {
    probabilities: Float64Array.of(0.9, 0.9, 0.9, 0.1),
    targets: Uint8Array.of(1, 0, 1, 0),
  };
  const of = { ...set, labels: ['a', 'b'], thresholds: [0.5, 0.5] };
  const { labels, macroF1Present, macroF1TrueOrGiven } = intervalsOf(of, [null, null], {
    resampleCount: 20,
  });
  t.deepEqual(labels, [{ low: 1, high: 1 }, null]);
  t.deepEqual(macroF1Present, { low: 1, high: 1 });
  t.deepEqual(macroF1TrueOrGiven, { low: 0.5, high: 0.5 });
});

test('frames of one group are drawn together, so that alike frames promise less', (t) => {
  // Ten fields of ten frames, each field all right or all wrong.
  const frames = Array.from({ length: 100 }, (_, frame) => Math.floor(frame / 10));
  const set = {
    probabilities: Float64Array.from(frames, (field) => (field < 6 ? 0.9 : 0.1)),
    targets: new Uint8Array(100).fill(1),
    ...{ labels: ['a'], thresholds: [0.5] },
  };
  const widthOf = (groups: readonly (string | null)[]) => {
    const { exactMatch } = intervalsOf(set, groups, { resampleCount: 400 });
    return exactMatch.high - exactMatch.low;
  };
  const byGroup = widthOf(frames.map((field) => `field ${field}`));
  const byFrame = widthOf(frames.map(() => null));
  t.true(byGroup > 2 * byFrame, `${byGroup} ${byFrame}`);
});
