import test from 'ava';
import { fitTemperature } from '../../../src/evaluation/index.js';
import { decide } from '../../../src/training/process/decide.js';
import { golden, scored } from '../../evaluation/golden.js';

const given = scored(golden.calibration[0] ?? { probabilities: [], targets: [] });
const frames = Array.from({ length: 80 }, (_, at) => ({
  ...{ id: `f${at}`, labelIndices: [], group: null },
}));

test('labels that no frame has do not move the temperature, and get the common threshold', (t) => {
  const labels = ['a', 'absent', 'b', 'c', 'absent too'];
  const places = [0, null, 1, 2, null];
  const spread = (of: ArrayLike<number>, fill: number) =>
    frames.flatMap((_, row) => places.map((at) => (at === null ? fill : (of[row * 3 + at] ?? 0))));
  const decision = decide(
    Float32Array.from(spread(given.probabilities, 0.02)),
    { targets: Uint8Array.from(spread(given.targets, 0)), frames },
    labels,
  );
  const alone = fitTemperature({
    probabilities: Float32Array.from(given.probabilities),
    targets: given.targets,
  });
  t.true(Math.abs(decision.calibration.temperature - alone) < 1e-9);
  t.is(decision.thresholds.length, 5);
  const common = /towards (\d\.\d{3})$/.exec(decision.thresholdsSource)?.[1];
  t.is(decision.thresholds[1]?.toFixed(3), common);
  t.is(decision.thresholds[4]?.toFixed(3), common);
  t.like(decision.calibration, { frameCount: 80 });
  t.is(decision.probabilities.length, 80 * 5);
  const { macroF1, macroF1Present, binaryAccuracy } = decision.atThresholds;
  // Three of five are there, and the thresholds are those of the best F1.
  t.true(Math.abs(macroF1Present - (5 / 3) * macroF1) < 1e-12);
  const { probabilities, thresholds } = decision;
  const targets = spread(given.targets, 0);
  const right = targets.filter(
    (target, at) => probabilities[at]! >= thresholds[at % 5]! === (target === 1),
  );
  t.true(Math.abs(binaryAccuracy - right.length / targets.length) < 1e-12);
});

test('without any label the temperature is 1 and the thresholds are 0.5', (t) => {
  const decision = decide(
    Float32Array.of(0.1, 0.2),
    { targets: new Uint8Array(2), frames: frames.slice(0, 1) },
    ['a', 'b'],
  );
  t.like(decision.calibration, { temperature: 1, errorBefore: 0, errorAfter: 0 });
  t.deepEqual(decision.thresholds, [0.5, 0.5]);
});
