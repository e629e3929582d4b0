import test from 'ava';
import { DomainError } from '../../../src/errors.js';
import { fitWhitening, quantileOf } from '../../../src/training/process/drift.js';

const parts = { ofPixels: 2, ofEmbedding: 3 };
const size = 5;

/** Numbers without a pattern, of spread 1 about 0. */
const noise = (at: number) => Math.sin(at * 12.9898) * Math.SQRT2;

/** Frames whose activations spread wide along one direction and hardly along another. */
function descriptors(frameCount: number) {
  const values = new Float32Array(frameCount * size);
  for (let frame = 0; frame < frameCount; frame += 1) {
    const [a, b] = [noise(frame * 2 + 1), noise(frame * 2 + 2)];
    values.set([0.3 + 0.05 * a, 0.1 + 0.02 * b, 5 + 3 * a, 5 + 3 * a + 0.3 * b, 0], frame * size);
  }
  return { values, frameCount };
}

function distanceBy({ kernel, bias }: ReturnType<typeof fitWhitening>, row: readonly number[]) {
  const whitened = Array.from({ length: size }, (_, output) =>
    row.reduce((sum, value, input) => sum + value * kernel[input * size + output]!, bias[output]!),
  );
  return Math.hypot(...whitened);
}

test('the training frames have about 1 in the mean square, the mean frame has 0', (t) => {
  const { values, frameCount } = descriptors(200);
  const whitening = fitWhitening({ values, frameCount }, parts);
  let square = 0;
  const mean = new Array<number>(size).fill(0);
  for (let frame = 0; frame < frameCount; frame += 1) {
    const row = Array.from(values.subarray(frame * size, (frame + 1) * size));
    square += distanceBy(whitening, row) ** 2 / frameCount;
    for (const [at, value] of row.entries()) mean[at]! += value / frameCount;
  }
  // Dimensions that never differ have no part in it, and shrinking takes a little.
  t.true(square > 0.6 && square < 1.05, `${square}`);
  t.true(distanceBy(whitening, mean) < 1e-3);
});

test('a step across the spread is far where the same step along it is near', (t) => {
  const whitening = fitWhitening(descriptors(200), parts);
  const along = distanceBy(whitening, [0.3, 0.1, 7, 7, 0]);
  const across = distanceBy(whitening, [0.3, 0.1, 7, 3, 0]);
  t.true(across > 3 * along, `${across} and ${along}`);
});

test('a frame of other brightness is far though its activations are usual', (t) => {
  const whitening = fitWhitening(descriptors(200), parts);
  const usual = distanceBy(whitening, [0.3, 0.1, 5, 5, 0]);
  t.true(distanceBy(whitening, [0.8, 0.1, 5, 5, 0]) > 5 + usual);
});

test('an activation that the training never excited is far, but not without bound', (t) => {
  const whitening = fitWhitening(descriptors(200), parts);
  const awake = distanceBy(whitening, [0.3, 0.1, 5, 5, 1]);
  t.true(awake > 1 && awake < 100, `${awake}`);
});

test('fewer than two frames cannot be measured', (t) => {
  const error = t.throws(() => fitWhitening(descriptors(1), parts), { instanceOf: DomainError });
  t.is(error.code, 'dataset_invalid');
});

test('a quantile lies between two values as NumPy puts it', (t) => {
  const values = Float32Array.of(4, 1, 3, 2);
  t.is(quantileOf(values, 0.5), 2.5);
  t.is(quantileOf(values, 1), 4);
  t.is(quantileOf(values, 0), 1);
  t.true(Math.abs(quantileOf(values, 0.99) - 3.97) < 1e-6);
  t.deepEqual([...values], [4, 1, 3, 2], 'they stay in their order');
});
