import { DomainError } from '../../errors.js';
import type { Operator } from '../operator.js';
import { describeShape } from '../value.js';

/** The sum of two tensors of one shape: where a shortcut meets the way around it. */
export const add: Operator = {
  source: 'ONNX operator Add-14; the gradient of a sum is that of each part',

  shape([left, right]) {
    if (`${left}` !== `${right}`) {
      throw new DomainError(
        'option_invalid',
        `expected to add tensors of one shape, got ${describeShape(left!)} and ${describeShape(right!)}`,
      );
    }
    return left!;
  },

  forward(builder, [left, right]) {
    const shape = add.shape([left!.shape, right!.shape], {});
    return { output: builder.node('Add', [left!, right!], ['float32', shape]), saved: [] };
  },

  backward: (_builder, _application, outputGradient) => [outputGradient, outputGradient],
};
