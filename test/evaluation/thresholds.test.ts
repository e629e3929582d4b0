import test from 'ava';
import fc from 'fast-check';
import { chooseThresholds, score } from '../../src/evaluation/index.js';
import { golden, scored } from './golden.js';

for (const [at, given] of golden.thresholds.entries()) {
  test(`thresholds are those of trying every one with scikit-learn: case ${at}`, (t) => {
    const { common, thresholds } = chooseThresholds(scored(given));
    t.true(Math.abs(common - given.common) < 1e-9, `${common}`);
    for (const [label, threshold] of thresholds.entries()) {
      t.true(Math.abs(threshold - (given.thresholds[label] ?? 0)) < 1e-9, `${label}: ${threshold}`);
    }
  });
}

test('a label that every frame has gets the common threshold, one that none has 0.5 at least', (t) => {
  const probabilities = Float32Array.of(0.9, 0.2, 0.8, 0.3, 0.4, 0.9, 0.2, 0.1, 0.7);
  const targets = Uint8Array.of(1, 0, 1, 0, 0, 1, 0, 0, 1);
  const { thresholds, common } = chooseThresholds({
    ...{ probabilities, targets },
    labels: ['some', 'none', 'all'],
  });
  t.is(thresholds[1], Math.max(0.5, common));
  t.true(Math.abs((thresholds[2] ?? 0) - common) < 1e-9);
  t.not(thresholds[0], thresholds[1]);
});

test('a label is trusted by its fields of view, however many cells they show', (t) => {
  const fields = (size: number) => Array.from({ length: 8 * size }, (_, at) => `${at % 8}`);
  const repeated = (size: number) => ({
    // Two fields have the rare label, found best above 0.875; both share 0.65.
    probabilities: Float64Array.from({ length: 16 * size }, (_, at) => {
      const field = Math.floor(at / 2) % 8;
      return at % 2 === 0 ? (field < 2 ? 0.9 : 0.85) : field < 4 ? 0.7 : 0.6;
    }),
    targets: Uint8Array.from({ length: 16 * size }, (_, at) => {
      const field = Math.floor(at / 2) % 8;
      return Number(at % 2 === 0 ? field < 2 : field < 4);
    }),
    labels: ['rare', 'common'],
  });
  const alone = chooseThresholds(repeated(1)).thresholds[0] ?? 0;
  const inFields = chooseThresholds({ ...repeated(9), groups: fields(9) }).thresholds[0] ?? 0;
  const asFrames = chooseThresholds(repeated(9)).thresholds[0] ?? 0;
  t.true(Math.abs(inFields - alone) < 1e-9, `${inFields} ${alone}`);
  // Eighteen frames would be trusted more: nearer to 0.875 than half of the way.
  t.true(asFrames > inFields + 0.05, `${asFrames} ${inFields}`);
  const groups = fields(9).map(() => null);
  t.is(chooseThresholds({ ...repeated(9), groups }).thresholds[0], asFrames);
});

test('without any label present the threshold is 0.5', (t) => {
  const set = { probabilities: Float32Array.of(0.9, 0.1), targets: new Uint8Array(2) };
  t.deepEqual(chooseThresholds({ ...set, labels: ['a'] }), { thresholds: [0.5], common: 0.5 });
});

test('on the frames they were chosen on, the common threshold is no worse than any other', (t) => {
  const answer = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean());
  fc.assert(
    fc.property(fc.array(fc.tuple(answer, answer), { minLength: 1, maxLength: 30 }), (rows) => {
      const set = {
        probabilities: Float64Array.from(rows.flat(), ([twentieths]) => twentieths / 20),
        targets: Uint8Array.from(rows.flat(), ([, isTrue]) => Number(isTrue)),
        labels: ['a', 'b'],
      };
      const { common } = chooseThresholds(set);
      const f1At = (threshold: number) =>
        score({ ...set, thresholds: [threshold, threshold] }).macroF1Present;
      const reached = f1At(common);
      for (let threshold = 0.025; threshold < 1; threshold += 0.05) {
        t.true(reached >= f1At(threshold) - 1e-9, `${common} ${threshold}`);
      }
    }),
  );
});
