import test from 'ava';
import { buildInference, initialiseParameters, readParameters } from '../../src/graph/index.js';
import { smallNetwork as network } from './small-network.js';

test('weights come back from the graph that is served as they went in', (t) => {
  const parameters = initialiseParameters(network, 5);
  const read = readParameters(buildInference(network, parameters), network);
  t.deepEqual(read, parameters);
  for (const [name, { values }] of read) t.not(values.buffer, parameters.get(name)!.values.buffer);
});

test('a model of another network is refused by the first weight that does not fit', (t) => {
  const model = buildInference(network, initialiseParameters(network, 5));
  const wider = {
    ...network,
    layers: network.layers.map((layer) =>
      layer.kind === 'dense' && layer.name === 'dense1' ? { ...layer, units: 7 } : layer,
    ),
  };
  t.throws(() => readParameters(model, wider), {
    code: 'option_invalid',
    message: 'expected the weights of small, dense1/kernel [60, 7], got [60, 6]',
  });
  const renamed = {
    ...network,
    layers: network.layers.map((layer) =>
      'name' in layer && layer.name === 'dense2' ? { ...layer, name: 'last' } : layer,
    ),
  };
  t.throws(() => readParameters(model, renamed), {
    code: 'option_invalid',
    message: 'expected the weights of small, last/kernel [6, 3], got a model without',
  });
  t.throws(() => readParameters(Uint8Array.of(255, 255, 255), network), {
    code: 'option_invalid',
  });
});
