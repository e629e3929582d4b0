import { DomainError } from '../errors.js';
import { planNetwork } from '../graph/index.js';
import type { KerasNetwork, KerasSource } from './read-topology.js';
import { type ForeignTensor, fromTensorFlow, type TrainedNetwork } from './weights.js';

/** Finds a tensor of a file; undefined where there is none. */
export type FindTensor = (
  source: KerasSource,
  part: 'kernel' | 'bias',
) => ForeignTensor | undefined;

/**
 * Joins a network with the weights of its file, in our order of axes. A layer without
 * bias gets one of zeros.
 *
 * Throws `option_invalid` that lists every weight that is missing or of another shape.
 */
export function assemble({ network, sources }: KerasNetwork, find: FindTensor): TrainedNetwork {
  const faults: string[] = [];
  const parameters = new Map<string, ForeignTensor>();
  for (const { name, shape } of planNetwork(network).parameters) {
    const [layer = '', part] = name.split('/');
    const source = sources.get(layer);
    if (!source || (part !== 'kernel' && part !== 'bias')) {
      throw new Error(`bug: ${name} has no layer in the file`);
    }
    if (part === 'bias' && !source.hasBias) {
      parameters.set(name, { shape, values: new Float32Array(shape[0] ?? 0) });
      continue;
    }
    const [out, channels, height, width] = shape;
    const expected = shape.length === 4 ? [height, width, channels, out] : shape;
    const tensor = find(source, part);
    if (tensor && `${tensor.shape}` === `${expected}`) {
      parameters.set(name, tensor);
      continue;
    }
    const got = tensor ? `[${tensor.shape.join(', ')}]` : 'nothing';
    faults.push(`expected the ${part} of "${source.name}" as [${expected.join(', ')}], got ${got}`);
  }
  if (faults.length > 0) throw new DomainError('option_invalid', faults.join('; '));
  return { network, parameters: fromTensorFlow({ network, parameters }) };
}
