import test from 'ava';
import { initialiseParameters } from '../../src/graph/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { smallNetwork } from './small-network.js';

test('kernels start uniform within the limit of Keras, biases at zero', (t) => {
  const parameters = initialiseParameters(smallNetwork, 1);
  // √(6 / (fan in + fan out)): a 3x3 kernel's fans are 2 and 4 channels times 9.
  const limits = {
    'conv1/kernel': Math.sqrt(6 / (2 * 9 + 4 * 9)),
    'dense1/kernel': Math.sqrt(6 / (4 * 5 * 3 + 6)),
    'dense2/kernel': Math.sqrt(6 / (6 + 3)),
  };
  t.deepEqual(
    [...parameters.keys()],
    ['conv1/kernel', 'conv1/bias', 'dense1/kernel', 'dense1/bias', 'dense2/kernel', 'dense2/bias'],
  );
  for (const [name, limit] of Object.entries(limits)) {
    const { values } = parameters.get(name)!;
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    t.true(largest <= limit && largest > 0.8 * limit, name);
    // A uniform draw's variance is limit² / 3; a mean of n draws lies within 4 of its deviations.
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    t.true(Math.abs(mean) < (4 * limit) / Math.sqrt(3 * values.length), name);
  }
  for (const name of ['conv1/bias', 'dense1/bias', 'dense2/bias']) {
    t.true(parameters.get(name)!.values.every((value) => value === 0));
  }
});

test('a seed gives the same weights each time, another seed others', (t) => {
  const first = initialiseParameters(smallNetwork, 1);
  t.deepEqual(initialiseParameters(smallNetwork, 1), first);
  for (const seed of [2, -1, 0, 2 ** 32 + 1, 2 ** 40]) {
    const other = initialiseParameters(smallNetwork, seed).get('dense1/kernel')!.values;
    const same = other.filter((value, at) => value === first.get('dense1/kernel')!.values[at]);
    t.is(same.length, 0, `seed ${seed}`);
  }
});

test('`seed-cnn` starts as Keras starts it, each kernel apart from the others', (t) => {
  const shape = { channels: 4, heightPx: 128, widthPx: 128, labelCount: 28 };
  const parameters = initialiseParameters(createNetwork('seed-cnn', shape), 4);
  // Fan in and fan out, in weights: the dense layer sees 64 planes of 25x25 px.
  const fans = {
    'conv1/kernel': [4 * 9, 32 * 9],
    'conv2/kernel': [32 * 9, 64 * 9],
    'conv5/kernel': [64 * 9, 32 * 9],
    'dense1/kernel': [40_000, 128],
    'dense2/kernel': [128, 28],
  };
  for (const [name, [fanIn, fanOut]] of Object.entries(fans)) {
    const { values } = parameters.get(name)!;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    // limit² / 3; the mean square of n uniform draws strays by √(4 / 5n) of itself.
    const strays = Math.abs((variance * (fanIn! + fanOut!)) / 2 - 1);
    t.true(strays < 4.5 * Math.sqrt(0.8 / values.length), `${name}: off by ${strays}`);
  }
  const kernels = [...parameters].filter(([name]) => name.endsWith('/kernel'));
  for (const [at, [name, { values }]] of kernels.entries()) {
    for (const [otherName, other] of kernels.slice(at + 1)) {
      const count = Math.min(values.length, other.values.length);
      const [one, two] = [values.subarray(0, count), other.values.subarray(0, count)];
      const squares = (some: Float32Array) => some.reduce((sum, value) => sum + value * value, 0);
      const products = one.reduce((sum, value, index) => sum + value * two[index]!, 0);
      const correlation = products / Math.sqrt(squares(one) * squares(two));
      t.true(Math.abs(correlation) < 4.5 / Math.sqrt(count), `${name}, ${otherName}`);
    }
  }
});
