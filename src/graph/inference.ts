import { DomainError } from '../errors.js';
import { createGraphBuilder } from './graph-builder.js';
import { applyLayer } from './layers.js';
import type { Network, Parameters } from './network.js';
import { planNetwork } from './network-plan.js';
import { operators } from './operators/index.js';
import { createTape } from './tape.js';
import { describeShape, type Value } from './value.js';

/**
 * The graph that is served: `pixels` uint8 `[N, C, H, W]` → `probabilities` float32
 * `[N, labels]`, any N, with the scaling inside and the weights as initializers.
 *
 * Throws `option_invalid` when a weight is missing or has another shape.
 */
export function buildInference(network: Network, parameters: Parameters): Uint8Array {
  const builder = createGraphBuilder(network.name);
  const weights = new Map<string, Value>();
  for (const { name, shape } of planNetwork(network).parameters) {
    const given = parameters.get(name);
    if (`${given?.shape}` !== `${shape}`) {
      const got = given ? describeShape(given.shape) : 'nothing';
      throw new DomainError(
        'option_invalid',
        `expected ${name} ${describeShape(shape)}, got ${got}`,
      );
    }
    weights.set(name, builder.initializer(name, { type: 'float32', shape, values: given!.values }));
  }
  // Nothing is watched, so that the tape records nothing.
  const tape = createTape(builder, []);
  const pixels = builder.input('pixels', 'uint8', ['N', ...network.inputShape]);
  let value = tape.apply(operators.scalePixels, [pixels]);
  for (const layer of network.layers) {
    value = applyLayer(layer, value, {
      tape,
      parameter: (name) => weights.get(name)!,
      mask: () => null,
    });
  }
  builder.output('probabilities', builder.node('Sigmoid', [value], ['float32', value.shape]));
  return builder.toModel();
}
