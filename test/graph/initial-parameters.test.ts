import test from 'ava';
import { initialiseParameters } from '../../src/graph/index.js';
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
