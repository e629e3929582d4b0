import { DomainError } from '../errors.js';
import { ModelProto, type TensorProto, TensorProto_DataType } from '../gen/onnx/onnx.js';
import type { Network, Parameters } from './network.js';
import { planNetwork } from './network-plan.js';
import { describeShape } from './value.js';

/**
 * The weights of a graph that `buildInference` wrote for such a network: copies, so that
 * `model` may be let go. It decodes some ten megabytes, a few milliseconds.
 *
 * Throws `option_invalid`, naming the first weight that is missing or has another shape,
 * and for bytes that are no ONNX model.
 */
export function readParameters(model: Uint8Array, network: Network): Parameters {
  const tensors = new Map(initializersOf(model).map((tensor) => [tensor.name, tensor]));
  const entries = planNetwork(network).parameters.map(({ name, shape }) => {
    const tensor = tensors.get(name);
    const isFit =
      tensor?.dataType === TensorProto_DataType.FLOAT &&
      `${tensor.dims}` === `${shape}` &&
      tensor.rawData?.byteLength === 4 * shape.reduce((count, size) => count * size, 1);
    if (!isFit) {
      throw new DomainError(
        'option_invalid',
        `expected the weights of ${network.name}, ${name} ${describeShape(shape)}, got ${tensor ? describeShape(tensor.dims) : 'a model without'}`,
      );
    }
    // Copied, since the bytes need not lie at a multiple of 4 in the message.
    const bytes = Uint8Array.prototype.slice.call(tensor.rawData);
    return [name, { shape, values: new Float32Array(bytes.buffer) }] as const;
  });
  return new Map(entries);
}

function initializersOf(model: Uint8Array): readonly TensorProto[] {
  try {
    return ModelProto.decode(model).graph?.initializer ?? [];
  } catch (cause) {
    throw new DomainError('option_invalid', 'expected an ONNX model, got other bytes', { cause });
  }
}
