import test from 'ava';
import { createGoldenFrame, largestDifference } from '../../src/models/index.js';
import { inputSpec } from './model-fixtures.js';

test('the golden frame is the same always, and another in each channel and axis', (t) => {
  const frame = createGoldenFrame(inputSpec);
  t.deepEqual(createGoldenFrame(inputSpec), frame);
  t.is(frame.length, 4 * 8 * 8);
  const planes = [0, 1, 2, 3].map((channel) => frame.subarray(channel * 64, (channel + 1) * 64));
  t.is(new Set(planes.map((plane) => plane.join())).size, 4);
  for (const plane of planes) {
    const turned = plane.map((_, at) => plane[(at % 8) * 8 + Math.floor(at / 8)] ?? 0);
    t.notDeepEqual(turned, plane);
  }
});

test('the largest difference is found, and NaN and a missing value are the largest', (t) => {
  t.deepEqual(largestDifference([0.1, 0.5, 0.3], [0.1, 0.25, 0.3]), { index: 1, difference: 0.25 });
  for (const at of [0, 1, 2]) {
    const output = [0.1, 0.5, 0.3].with(at, Number.NaN);
    const farthest = { index: at, difference: Number.POSITIVE_INFINITY };
    t.deepEqual(largestDifference(output, [0.1, 0.25, 0.2]), farthest);
  }
  t.is(largestDifference([0.1], [0.1, 0.2]).difference, Number.POSITIVE_INFINITY);
});
