import test from 'ava';
import { drawDropoutMasks } from '../../src/graph/index.js';

const specs = [
  { name: 'dropout1/mask', shape: [4, 5001], rate: 0.25 },
  { name: 'dropout2/mask', shape: [3, 7, 333], rate: 0.5 },
];

test('a mask keeps its share, and is 0 or 1', (t) => {
  const masks = drawDropoutMasks(specs, { seed: 1, step: 1 });
  for (const { name, shape, rate } of specs) {
    const { values } = masks[name]!;
    t.deepEqual(masks[name]!.shape, shape);
    t.is(
      values.length,
      shape.reduce((all, size) => all * size, 1),
    );
    t.true(values.every((value) => value === 0 || value === 1));
    const kept = values.reduce((sum, value) => sum + value, 0) / values.length;
    // Four standard deviations of a mean of n draws.
    t.true(Math.abs(kept - (1 - rate)) < 4 * Math.sqrt((rate * (1 - rate)) / values.length), name);
  }
});

test('seed and step settle a mask; buffers used again change nothing', (t) => {
  const first = drawDropoutMasks(specs, { seed: 1, step: 1 });
  const copy = structuredClone(first);
  const other = drawDropoutMasks(specs, { seed: 1, step: 2 });
  t.deepEqual(drawDropoutMasks(specs, { seed: 1, step: 1 }, other), copy);
  for (const given of [
    { seed: 2, step: 1 },
    { seed: 1, step: 2 },
  ]) {
    for (const [name, { values }] of Object.entries(drawDropoutMasks(specs, given))) {
      const agreeing = values.filter((value, at) => value === copy[name]!.values[at]).length;
      const rate = specs.find((spec) => spec.name === name)!.rate;
      // Independent masks agree where both keep or both drop.
      t.true(Math.abs(agreeing / values.length - (rate ** 2 + (1 - rate) ** 2)) < 0.03, name);
    }
  }
});

test('layers, and frames of a batch, have masks that have nothing in common', (t) => {
  const sizes = { shape: [32, 1251], rate: 0.5 };
  const [first, second] = ['dropout1/mask', 'dropout2/mask'].map((name) => ({ name, ...sizes }));
  for (const step of [1, 2, 3]) {
    const masks = drawDropoutMasks([first!, second!], { seed: 4, step });
    const [one, other] = [masks['dropout1/mask']!.values, masks['dropout2/mask']!.values];
    t.true(deviations(one, other) < 4.5, `layers at step ${step}`);
    // A frame and the next, an element and those that share its words or come soon after.
    for (const lag of [1, 2, 3, 4, 64, 1251]) {
      t.true(deviations(one.subarray(lag), one) < 4.5, `${lag} apart at step ${step}`);
    }
  }
});

/** By how many standard deviations two masks of rate a half agree more or less than by chance. */
function deviations(one: Uint8Array, other: Uint8Array): number {
  const agreeing = one.filter((value, at) => value === other[at]).length;
  return Math.abs(agreeing - one.length / 2) / Math.sqrt(one.length / 4);
}

test('rates 0 and 1 keep all and nothing', (t) => {
  const [all, nothing] = [0, 1].map((rate) =>
    drawDropoutMasks([{ name: 'mask', shape: [1001], rate }], { seed: 5, step: 1 }),
  );
  t.true(all!['mask']!.values.every((value) => value === 1));
  t.true(nothing!['mask']!.values.every((value) => value === 0));
});
