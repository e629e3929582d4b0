import { Tensor } from 'onnxruntime-node';
import { DomainError } from '../errors.js';
import type { GraphTensor } from './graph-runner.js';

/** A view as the runtime takes it. Throws `option_invalid` unless the values fill the shape. */
export function toTensor(tensor: GraphTensor): Tensor {
  const { shape } = tensor;
  const expected = shape.reduce((product, size) => product * size, 1);
  if (tensor.values.length !== expected) {
    throw new DomainError(
      'option_invalid',
      `expected ${expected} values for the shape [${shape.join(', ')}], got ${tensor.values.length}`,
    );
  }
  if (tensor.type === 'float32') return new Tensor('float32', tensor.values, shape);
  if (tensor.type === 'uint8') return new Tensor('uint8', tensor.values, shape);
  return new Tensor('int64', tensor.values, shape);
}

/** A view of what the runtime gave. Throws `unsupported` for other element types. */
export function fromTensor(name: string, { type, data, dims }: Tensor): GraphTensor {
  if (type === 'float32' && data instanceof Float32Array)
    return { type, shape: dims, values: data };
  if (type === 'uint8' && data instanceof Uint8Array) return { type, shape: dims, values: data };
  if (type === 'int64' && data instanceof BigInt64Array) return { type, shape: dims, values: data };
  throw new DomainError(
    'unsupported',
    `expected float32, uint8 or int64 from ${name}, got ${type}`,
  );
}
