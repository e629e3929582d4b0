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

test('rates 0 and 1 keep all and nothing', (t) => {
  const [all, nothing] = [0, 1].map((rate) =>
    drawDropoutMasks([{ name: 'mask', shape: [1001], rate }], { seed: 5, step: 1 }),
  );
  t.true(all!['mask']!.values.every((value) => value === 1));
  t.true(nothing!['mask']!.values.every((value) => value === 0));
});
