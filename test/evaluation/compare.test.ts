import test from 'ava';
import {
  compareVersions,
  formatComparison,
  type PredictionRow,
} from '../../src/evaluation/index.js';
import { holm, mcnemarExact } from '../../src/evaluation/paired-tests.js';
import { golden } from './golden.js';

const labels = ['a', 'b'];
const thresholds = [0.5, 0.5];

/** Frames with one of two labels; those in `missed` get no label. */
function rowsOf(count: number, missed: (at: number) => boolean): readonly PredictionRow[] {
  return Array.from({ length: count }, (_, at) => ({
    id: `f${at}`,
    labelIndices: [at % 2],
    probabilities: Float64Array.from([0, 1], (label) =>
      label === at % 2 && !missed(at) ? 0.9 : 0.1,
    ),
  }));
}

const contender = (ref: string, missed: (at: number) => boolean, count = 60) => ({
  ...{ ref, thresholds },
  rows: rowsOf(count, missed),
});
const alone = (count = 60) => ({ labels, groups: new Array<null>(count).fill(null) });

test("McNemar's exact test and Holm's correction are those of statsmodels", (t) => {
  const { discordant, pValues, adjusted } = golden.comparison;
  const found = discordant.map(([first, second]) => mcnemarExact(first, second));
  for (const [at, pValue] of found.entries()) {
    t.true(Math.abs(pValue - (pValues[at] ?? 0)) < 1e-12, `${discordant[at]}: ${pValue}`);
  }
  for (const [at, pValue] of holm(found).entries()) {
    t.true(Math.abs(pValue - (adjusted[at] ?? 0)) < 1e-12, `${at}: ${pValue}`);
  }
});

test("McNemar's exact test has a number for many frames", (t) => {
  t.true(mcnemarExact(10_000, 10_000) > 0.99);
  t.true(mcnemarExact(9_000, 11_000) < 1e-40);
});

test('a version compared with itself gains nothing', async (t) => {
  const half = (at: number) => at % 3 === 0;
  const found = await compareVersions([contender('x@1', half), contender('x@1', half)], alone());
  t.like(found.macroF1Present, { gain: 0, pValue: 1, interval: { low: 0, high: 0 } });
  t.true(found.labels.every(({ adjustedPValue }) => adjustedPValue === 1));
});

test('a better version is told from a worse one, and from one that is as good', async (t) => {
  const worse = contender('x@1', (at) => at % 4 < 2);
  const better = contender('x@2', (at) => at % 12 === 0);
  const found = await compareVersions([worse, better], alone());
  t.true(found.exactMatch.gain > 0.3);
  t.true(found.exactMatch.interval.low > 0 && found.exactMatch.pValue < 0.01);
  // Frames 0, 4, 8, … of label a: the first misses 0, 4, 8, …, the second 0, 12, 24, …
  t.like(found.labels[0], { onlyFirstRight: 0, onlySecondRight: 10, firstF1: 2 / 3 });
  t.true((found.labels[0]?.adjustedPValue ?? 1) < 0.01);

  const other = contender('x@3', (at) => at % 12 === 6);
  const level = await compareVersions([better, other], alone());
  t.is(level.exactMatch.gain, 0);
  t.true(level.exactMatch.pValue > 0.5);
  const back = await compareVersions([better, worse], alone());
  t.is(back.exactMatch.gain, -found.exactMatch.gain);
});

test('the same seed compares the same; whole groups are drawn where there are any', async (t) => {
  const pair = [contender('x@1', (at) => at < 9), contender('x@2', (at) => at > 50)] as const;
  const options = { resampleCount: 200, seed: 5 };
  t.deepEqual(
    await compareVersions(pair, alone(), options),
    await compareVersions(pair, alone(), options),
  );
  const groups = pair[0].rows.map((_, at) => `field ${Math.floor(at / 10)}`);
  const found = await compareVersions(pair, { labels, groups }, options);
  t.like(found, { unit: 'group', unitCount: 6, resampleCount: 200 });
  const text = formatComparison(found);
  t.regex(text, /200 draws of weights for 6 groups, same for both/);
  t.true(text.includes(found.macroF1Present.first.toFixed(4)));
  t.true(text.includes('x@2'));
});

test('a version that ranks better is told from one that decides alike', async (t) => {
  // Neither gives a label; the second gives every frame's own label the higher score.
  const ranked = (ref: string, isRankedWell: (at: number) => boolean) => ({
    ...{ ref, thresholds },
    rows: rowsOf(60, () => true).map((row, at) => ({
      ...row,
      probabilities: Float64Array.from([0, 1], (label) =>
        (label === at % 2) === isRankedWell(at) ? 0.4 : 0.2,
      ),
    })),
  });
  const half = ranked('x@1', (at) => at % 4 < 2);
  const found = await compareVersions([half, ranked('x@2', () => true)], alone());
  t.is(found.macroF1Present.gain, 0);
  t.like(found.macroAveragePrecisionPresent, { first: 0.5, second: 1, gain: 0.5 });
  t.like(found.macroAurocPresent, { first: 0.5, second: 1, gain: 0.5 });
  t.true((found.macroAurocPresent?.interval.low ?? 0) > 0.3);
  t.true((found.macroAveragePrecisionPresent?.pValue ?? 1) < 0.01);
  t.regex(formatComparison(found), /macro AUROC, labels present +0\.5000 +1\.0000 +\+0\.5000/);
});

test('where no frame has a label there is no ranking to compare', async (t) => {
  const bare = (ref: string) => {
    const { rows, ...rest } = contender(ref, () => false);
    return { ...rest, rows: rows.map((row) => ({ ...row, labelIndices: [] })) };
  };
  const found = await compareVersions([bare('x@1'), bare('x@2')], alone());
  t.is(found.macroAveragePrecisionPresent, null);
  t.is(found.macroAurocPresent, null);
  t.notRegex(formatComparison(found), /AUROC/);
});

test("Holm's correction leaves out labels that no frame tells apart", async (t) => {
  const wide = (ref: string, missed: (at: number) => boolean) => {
    const { rows } = contender(ref, missed);
    const more = [...rows.entries()].map(([, row]) => ({
      ...row,
      probabilities: Float64Array.from([...row.probabilities, 0, 0, 0, 0]),
    }));
    return { ref, thresholds: new Array<number>(6).fill(0.5), rows: more };
  };
  const found = await compareVersions(
    [wide('x@1', (at) => at % 4 === 0), wide('x@2', () => false)],
    { labels: [...labels, 'c', 'd', 'e', 'f'], groups: alone().groups },
  );
  const [told, ...others] = found.labels;
  t.like(told, { onlyFirstRight: 0, onlySecondRight: 15 });
  t.is(told?.adjustedPValue, told?.pValue);
  t.true(others.every(({ adjustedPValue }) => adjustedPValue === 1));
});

test('other frames cannot be compared', async (t) => {
  const none = () => false;
  await t.throwsAsync(
    compareVersions([contender('x@1', none), contender('x@2', none, 59)], alone()),
    { code: 'option_invalid', message: /same frames for x@1 and x@2/ },
  );
});

test('a label that no frame has is told where either gives it', async (t) => {
  const greedy = {
    ...contender('x@2', () => false),
    rows: rowsOf(60, () => false).map((row, at) => ({
      ...row,
      probabilities: Float64Array.from([...row.probabilities, at < 45 ? 0.9 : 0.1]),
    })),
    thresholds: [...thresholds, 0.5],
  };
  const modest = {
    ...greedy,
    ref: 'x@1',
    rows: greedy.rows.map((row) => ({ ...row, probabilities: row.probabilities.with(2, 0.1) })),
  };
  const found = await compareVersions([modest, greedy], {
    labels: [...labels, 'absent'],
    groups: alone().groups,
  });
  t.is(found.macroF1Present.gain, 0);
  t.like(found.macroF1TrueOrGiven, { first: 1, second: 2 / 3 });
  t.true(found.microF1.gain < -0.2);
  t.like(found.labels[2], { support: 0, firstF1: null, secondF1: null });
  t.like(found.labels[2], { firstWronglyGiven: 0, secondWronglyGiven: 45, onlyFirstRight: 45 });
  t.regex(formatComparison(found), /2 {2}absent +0 +– +– +0 +45 +45 +0 /);
});
