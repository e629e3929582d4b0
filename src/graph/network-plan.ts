import { DomainError } from '../errors.js';
import { layerParameters, layerShape, type ParameterSpec } from './layers.js';
import type { Network } from './network.js';
import { describeShape } from './value.js';

/** What follows from a network's layers without writing a graph. */
export interface NetworkPlan {
  /** In the order of the layers. */
  readonly parameters: readonly ParameterSpec[];
  readonly labelCount: number;
}

/**
 * Follows the shapes through a network.
 *
 * Throws `option_invalid`, naming the layer, where a layer does not fit the one
 * before it, two layers share a name, or the end is not one logit a label.
 */
export function planNetwork(network: Network): NetworkPlan {
  const parameters: ParameterSpec[] = [];
  const names = new Set<string>();
  let shape: readonly (number | 'N')[] = ['N', ...network.inputShape];
  for (const [index, layer] of network.layers.entries()) {
    const where = `layer ${index + 1} (${'name' in layer ? layer.name : layer.kind})`;
    try {
      for (const parameter of layerParameters(layer, shape)) {
        if (names.has(parameter.name)) {
          throw new DomainError('option_invalid', `two parameters are named ${parameter.name}`);
        }
        names.add(parameter.name);
        parameters.push(parameter);
      }
      shape = layerShape(layer, shape);
    } catch (thrown) {
      const { code, message } = DomainError.from(thrown);
      throw new DomainError(code, `${network.name}, ${where}: ${message}`, { cause: thrown });
    }
  }
  const labelCount = shape[1];
  if (shape.length !== 2 || typeof labelCount !== 'number') {
    throw new DomainError(
      'option_invalid',
      `${network.name}: expected one logit a label at the end, got ${describeShape(shape)}`,
    );
  }
  return { parameters, labelCount };
}

/** Number of weights that training changes. */
export const countParameters = (network: Network): number =>
  planNetwork(network).parameters.reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
