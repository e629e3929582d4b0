import { DomainError } from '../../errors.js';
import type { GraphBuilder } from '../graph-builder.js';
import type { Operator } from '../operator.js';
import { describeShape, type Value } from '../value.js';

/**
 * Drops what a mask drops: `input * mask / (1 - rate)`, so that the expected value
 * stays. The mask is uint8 0 or 1 of the input's shape and has no gradient.
 */
export const dropout: Operator = {
  source: 'Srivastava et al., JMLR 15 (2014) 1929–1958, in the inverted form of Keras',

  shape([input, mask]) {
    if (`${input}` !== `${mask}`) {
      throw new DomainError(
        'option_invalid',
        `expected a mask of ${describeShape(input!)}, got ${describeShape(mask!)}`,
      );
    }
    return input!;
  },

  forward(builder, [input, mask], { rate = 0 }) {
    dropout.shape([input!.shape, mask!.shape], {});
    const scale = scaleOf(builder, mask!, rate);
    return { output: multiply(builder, input!, scale), saved: [scale] };
  },

  backward: (builder, { saved }, outputGradient) => [
    multiply(builder, outputGradient, saved[0]!),
    null,
  ],
};

function scaleOf(builder: GraphBuilder, mask: Value, rate: number): Value {
  const kept = builder.node('Cast', [mask], ['float32', mask.shape], { to: 1 });
  return multiply(builder, kept, builder.scalar(1 / (1 - rate)));
}

const multiply = (builder: GraphBuilder, left: Value, right: Value): Value =>
  builder.node('Mul', [left, right], ['float32', left.shape]);
