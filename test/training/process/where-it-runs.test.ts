import test from 'ava';
import { buildInference, initialiseParameters } from '../../../src/graph/index.js';
import { createNetwork } from '../../../src/training/networks/index.js';
import { fitDistance } from '../../../src/training/process/fit-distance.js';
import { validate } from '../../../src/training/process/validate.js';
import { createSmallSet, smallShape } from './small-set.js';

// A device of another system is nowhere to be found on this one.
const elsewhere = process.platform === 'win32' ? 'coreml' : 'directml';
const network = createNetwork('seed-cnn', smallShape);
const parameters = initialiseParameters(network, 1);

test('what goes over many frames runs on the device of the training', async (t) => {
  const set = createSmallSet(4);
  const model = buildInference(network, parameters);
  const labels = ['a', 'b', 'c'];
  const shape = network.inputShape;
  const scoreOn = (device: 'cpu' | typeof elsewhere) =>
    validate({ model, set, labels }, { threads: 1, device, shape });
  const measureOn = (device: 'cpu' | typeof elsewhere) =>
    fitDistance({ network, parameters, training: set }, { threads: 1, device });
  t.is((await scoreOn('cpu')).probabilities.length, 12);
  t.true((await measureOn('cpu')).bias.length > 0);
  const refused = { code: 'model_failed', message: /^the runtime refused the graph: / } as const;
  await t.throwsAsync(scoreOn(elsewhere), refused);
  await t.throwsAsync(measureOn(elsewhere), refused);
});
