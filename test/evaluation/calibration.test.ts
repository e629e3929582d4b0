import test from 'ava';
import fc from 'fast-check';
import {
  atTemperature,
  calibrationError,
  fitTemperature,
  ofPresentLabels,
  reliability,
  score,
} from '../../src/evaluation/index.js';
import { golden, scored } from './golden.js';

for (const [at, given] of golden.calibration.entries()) {
  test(`the temperature is scipy's, the calibration error numpy's: case ${at}`, (t) => {
    const answers = scored(given);
    // Both stop when the logarithm moves by less than 1e-10.
    t.true(Math.abs(fitTemperature(answers) - given.temperature) < 1e-6);
    const error = calibrationError(reliability(answers));
    t.true(Math.abs(error - given.expectedCalibrationError) < 1e-12, `${error}`);
  });

  test(`at its temperature a model is better calibrated, and its answers keep their order: case ${at}`, (t) => {
    const answers = scored(given);
    const probabilities = atTemperature(answers.probabilities, fitTemperature(answers));
    const errorOf = (of: Float64Array) =>
      calibrationError(reliability({ ...answers, probabilities: of }));
    t.true(errorOf(probabilities) < errorOf(answers.probabilities));
    for (const [index, probability] of probabilities.entries()) {
      t.is(probability > 0.5, (answers.probabilities[index] ?? 0) > 0.5);
    }
  });
}

test('a model whose temperature was applied needs none', (t) => {
  const answers = scored(golden.calibration[1] ?? { probabilities: [], targets: [] });
  const probabilities = atTemperature(answers.probabilities, fitTemperature(answers));
  t.true(Math.abs(fitTemperature({ ...answers, probabilities }) - 1) < 1e-6);
});

test('a set that tells nothing about the temperature leaves it, or comes to its bound', (t) => {
  const probabilities = Float32Array.of(0.5, 0.5);
  t.is(fitTemperature({ probabilities, targets: Uint8Array.of(1, 0) }), 1);
  const easy = { probabilities: Float32Array.of(0.9, 0.1), targets: Uint8Array.of(1, 0) };
  t.true(Math.abs(fitTemperature(easy) - 0.1) < 1e-6);
  const wrong = { ...easy, targets: Uint8Array.of(0, 1) };
  t.true(Math.abs(fitTemperature(wrong) - 10) < 1e-6);
});

test('probabilities of 0 and 1 have a temperature as well', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(0, 1, 0.5, 1e-30), fc.boolean()), { minLength: 1 }),
      (answers) => {
        const probabilities = Float32Array.from(answers, ([probability]) => probability);
        const targets = Uint8Array.from(answers, ([, isTrue]) => Number(isTrue));
        const temperature = fitTemperature({ probabilities, targets });
        t.true(temperature >= 0.0999 && temperature <= 10.001, `${temperature}`);
        t.true(atTemperature(probabilities, temperature).every((p) => p >= 0 && p <= 1));
      },
    ),
  );
});

test('a label that no frame has does not make probabilities look better than they are', (t) => {
  // Label a is far too sure, labels b and c are never there and never believed.
  const frames = Array.from({ length: 20 }, (_, at) => at);
  const answers = {
    probabilities: Float64Array.from(frames.flatMap(() => [0.95, 0, 0])),
    targets: Uint8Array.from(frames.flatMap((at) => [at % 2, 0, 0])),
  };
  t.deepEqual(ofPresentLabels(answers, 3), {
    probabilities: new Float64Array(20).fill(0.95),
    targets: Uint8Array.from(frames, (at) => at % 2),
  });
  const thresholds = [0.5, 0.5, 0.5];
  const report = score({ ...answers, labels: ['a', 'b', 'c'], thresholds });
  t.true(Math.abs(report.expectedCalibrationErrorPresent - 0.45) < 1e-12);
  t.true(Math.abs(report.expectedCalibrationError - 0.15) < 1e-12);
  t.like(report.reliabilityPresent, [{ trueShare: 0.5, count: 20 }]);
  t.is(report.reliability.length, 2);
});
