import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { type Report, score, scoreFile } from '../../src/evaluation/index.js';
import { packageRoot } from '../../src/package-root.js';
import { sharedData } from '../shared-data.js';

/** What test/golden/scores.py wrote; null is what scikit-learn leaves undefined. */
interface Golden {
  readonly madeWith: Readonly<Record<string, string>>;
  readonly cases: readonly {
    readonly name: string;
    readonly probabilities: readonly (readonly number[])[];
    readonly targets: readonly (readonly number[])[];
    readonly thresholds: readonly number[];
    readonly expected: Readonly<Record<string, number | null>> & {
      readonly labels: readonly Readonly<Record<string, number | null>>[];
    };
  }[];
}

// The shape is what the script beside it writes.
const golden = JSON.parse(
  readFileSync(join(packageRoot, 'test/golden/scores.json'), 'utf8'),
) as Golden;

/** Sums in another order differ in the last bits. */
const tolerance = 1e-12;
/** numpy's 1 - (1 - 1e-7) is not 1e-7 to the last bits, and its logarithm is taken. */
const entropyTolerance = 1e-8;

for (const { name, probabilities, targets, thresholds, expected } of golden.cases) {
  test(`scores agree with scikit-learn: ${name}`, (t) => {
    const report = score({
      probabilities: Float64Array.from(probabilities.flat()),
      targets: Uint8Array.from(targets.flat()),
      labels: thresholds.map((_, label) => `label ${label}`),
      thresholds,
    });
    const got: Record<string, unknown> = { ...report };
    for (const [key, value] of Object.entries(expected)) {
      if (key === 'labels') continue;
      const actual = got[key];
      const margin = key === 'meanBinaryCrossEntropy' ? entropyTolerance : tolerance;
      if (value === null) t.true(Number.isNaN(actual), `${key} is not defined`);
      else
        t.true(Math.abs(Number(actual) - Number(value)) <= margin, `${key}: ${actual}, ${value}`);
    }
    t.is(report.labels.length, expected.labels.length);
    for (const [label, values] of expected.labels.entries()) {
      const row: Record<string, unknown> = { ...report.labels[label] };
      for (const [key, value] of Object.entries(values)) {
        const actual = row[key];
        if (value === null) t.is(actual, null, `${key} of label ${label} is not defined`);
        else {
          t.true(typeof actual === 'number', `${key} of label ${label} is a number`);
          t.true(Math.abs(Number(actual) - value) <= tolerance, `${key} of ${label}: ${actual}`);
        }
      }
    }
  });
}

test('the published predictions score what scikit-learn 1.2 says, to six decimals', async (t) => {
  if (sharedData === null) {
    t.log('SKIPPED: no shared data');
    t.pass();
    return;
  }
  const report = await scoreFile(join(sharedData, 'labels/published-predictions.csv'));
  const digits = (value: number, count = 6) => value.toFixed(count);
  t.is(report.frameCount, 295);
  t.is(digits(report.binaryAccuracy), '0.979903');
  t.is(digits(report.exactMatch), '0.627119');
  t.is(digits(report.microF1), '0.810069');
  t.is(digits(report.macroF1), '0.741303');
  t.is(digits(report.macroF1Present), '0.768759');
  t.is(digits(report.macroAurocPresent), '0.983205');
  t.is(digits(report.macroAveragePrecisionPresent), '0.902941');
  t.is(digits(report.meanBinaryCrossEntropy, 7), '0.0540572');
  t.is(report.labels.filter(({ support }) => support > 0).length, 27);
});

test('always answering "no" is scored beside binary accuracy', (t) => {
  const report = of([[0.1, 0.2, 0.3]], [[0, 1, 0]]);
  t.is(report.alwaysNoAccuracy, 2 / 3);
  t.is(report.binaryAccuracy, report.alwaysNoAccuracy);
  t.is(report.macroF1, 0);
});

test('a probability at its threshold gives the label', (t) => {
  t.is(of([[0.5]], [[1]]).exactMatch, 1);
  t.is(of([[0.4999999]], [[1]]).exactMatch, 0);
});

test('float32 and float64 probabilities score alike', (t) => {
  const targets = Uint8Array.of(1, 0, 0, 1, 1, 0);
  const single = Float32Array.of(0.7, 0.7, 0.2, 0.9, 0.1, 0.3);
  const rest = { targets, labels: ['a', 'b'], thresholds: [0.5, 0.5] };
  t.deepEqual(
    score({ probabilities: single, ...rest }),
    score({ probabilities: Float64Array.from(single), ...rest }),
  );
});

test('the area under the ROC curve is the share of pairs in the right order', (t) => {
  const frames = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.boolean()), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(frames, (rows) => {
      const positives = rows.filter(([, isTrue]) => isTrue).map(([value]) => value);
      const negatives = rows.filter(([, isTrue]) => !isTrue).map(([value]) => value);
      let wins = 0;
      for (const positive of positives) {
        for (const negative of negatives) {
          wins += positive > negative ? 1 : positive === negative ? 0.5 : 0;
        }
      }
      const pairs = positives.length * negatives.length;
      const report = of(
        rows.map(([value]) => [value / 8]),
        rows.map(([, isTrue]) => [isTrue ? 1 : 0]),
      );
      const auroc = report.labels[0]?.auroc;
      return pairs === 0 ? auroc === null : Math.abs(Number(auroc) - wins / pairs) < tolerance;
    }),
  );
  t.pass();
});

test('what cannot be scored is refused with what was expected', (t) => {
  const code = { code: 'option_invalid' };
  const one = { labels: ['a', 'b'], thresholds: [0.5, 0.5] };
  t.throws(() => score({ probabilities: new Float32Array(), targets: new Uint8Array(), ...one }), {
    ...code,
    message: /at least one frame/,
  });
  t.throws(
    () => score({ probabilities: new Float32Array(4), targets: new Uint8Array(2), ...one }),
    { ...code, message: 'expected 2 probabilities, got 4' },
  );
  t.throws(() => of([[0.5, Number.NaN]], [[0, 0]]), {
    ...code,
    message: 'expected probabilities from 0 to 1, got NaN for label "label 1" of frame 0',
  });
  t.throws(() => of([[1.5]], [[0]]), { ...code, message: /got 1.5/ });
});

test('the whole competition is scored in well under a second of the processor', (t) => {
  const frameCount = 31_072;
  const labels = Array.from({ length: 28 }, (_, label) => `label ${label}`);
  const probabilities = new Float32Array(frameCount * 28);
  const targets = new Uint8Array(probabilities.length);
  for (let at = 0; at < targets.length; at += 1) {
    probabilities[at] = ((at * 2_654_435_761) % 100_003) / 100_003;
    targets[at] = (at * 40_503) % 17 === 0 ? 1 : 0;
  }
  // Of the processor, so that a busy machine does not count.
  const before = process.cpuUsage();
  score({ probabilities, targets, labels, thresholds: labels.map(() => 0.5) });
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1000;
  t.log(`${tookMs.toFixed(0)} ms`);
  // Twenty times what it takes: a quadratic loop fails it.
  t.true(tookMs < 5000, `${tookMs} ms`);
});

function of(
  probabilities: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
): Report {
  const labels = (probabilities[0] ?? []).map((_, label) => `label ${label}`);
  return score({
    probabilities: Float64Array.from(probabilities.flat()),
    targets: Uint8Array.from(targets.flat()),
    labels,
    thresholds: labels.map(() => 0.5),
  });
}
