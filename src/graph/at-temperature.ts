import { DomainError } from '../errors.js';
import type { Network, Parameters } from './network.js';

/**
 * The weights with which a network gives its logits divided by a temperature: those of the
 * last layer, divided. So the graph that is served needs no node more, and whoever runs
 * it, by stream or elsewhere, gets the same probabilities. Other weights are shared.
 *
 * Throws `unsupported` where the last layer is not dense: nothing else is sure to pass a
 * factor on.
 */
export function atTemperature(
  { name, layers }: Network,
  parameters: Parameters,
  temperature: number,
): Parameters {
  const last = layers.at(-1);
  if (last?.kind !== 'dense') {
    throw new DomainError('unsupported', `expected ${name} to end in a dense layer`);
  }
  const next = new Map(parameters);
  for (const part of ['kernel', 'bias']) {
    const weight = parameters.get(`${last.name}/${part}`);
    if (weight === undefined) throw new Error(`bug: ${last.name} has no ${part}`);
    const values = weight.values.map((value) => value / temperature);
    next.set(`${last.name}/${part}`, { shape: weight.shape, values });
  }
  return next;
}
