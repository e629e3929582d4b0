import { DomainError } from '../errors.js';
import type { Network } from './network.js';
import { planNetwork } from './network-plan.js';

/**
 * The parameters of the layers that are to stay as they are. A layer is named whole
 * (`conv1`), by the part of its name before a slash (`stage1` of `stage1/conv1`), or by
 * its beginning and a star (`conv*`).
 *
 * Throws `option_invalid` for a name that fits no layer, and when no layer is left.
 */
export function frozenParameters(network: Network, layers: readonly string[]): ReadonlySet<string> {
  const names = planNetwork(network).parameters.map(({ name }) => name);
  const known = [...new Set(names.map(layerOf))];
  const unknown = layers.filter((layer) => !known.some((name) => fits(name, layer)));
  if (unknown.length > 0) {
    throw new DomainError(
      'option_invalid',
      `freeze: expected layers of ${network.name} (${known.join(', ')}), got ${unknown.join(', ')}`,
    );
  }
  const frozen = names.filter((name) => layers.some((layer) => fits(layerOf(name), layer)));
  if (frozen.length === names.length) {
    throw new DomainError('option_invalid', 'freeze: expected a layer that is left to learn');
  }
  return new Set(frozen);
}

/** `conv1` of `conv1/kernel`. */
const layerOf = (parameter: string): string => parameter.slice(0, parameter.lastIndexOf('/'));

const fits = (layer: string, given: string): boolean =>
  given.endsWith('*')
    ? layer.startsWith(given.slice(0, -1))
    : layer === given || layer.startsWith(`${given}/`);
