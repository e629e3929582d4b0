import { DomainError } from '../../errors.js';
import type { GraphBuilder } from '../graph-builder.js';
import type { Operator } from '../operator.js';
import { describeShape, type Shape, type Value } from '../value.js';

/**
 * Binary cross-entropy of sigmoid(logits), the mean over labels and the weighted sum
 * over frames: logits `[N, L]`, targets `[N, L]` 0..1, frame weights `[N]` → a scalar.
 *
 * Written from the logits, `max(z, 0) - z·t + log(1 + exp(-|z|))`, it neither
 * overflows nor loses the gradient where the sigmoid saturates. Weights that add up to
 * 1 make it a mean. A frame of weight 0 adds exactly nothing, forward or backward.
 */
export const sigmoidCrossEntropy: Operator = {
  source: "TensorFlow 2.9's documentation of sigmoid_cross_entropy_with_logits",

  shape([logits, targets, weights]) {
    const fits = logits!.length === 2 && `${logits}` === `${targets}`;
    if (!fits || `${weights}` !== `${logits![0]}`) {
      throw new DomainError(
        'option_invalid',
        `expected logits and targets of one shape and a weight a frame, got ${describeShape(logits!)}, ${describeShape(targets!)} and ${describeShape(weights!)}`,
      );
    }
    return [];
  },

  forward(builder, inputs) {
    const [logits, targets, weights] = inputs as [Value, Value, Value];
    sigmoidCrossEntropy.shape(
      inputs.map((input) => input.shape),
      {},
    );
    const on = (type: string, values: readonly Value[], shape: Shape = logits.shape): Value =>
      builder.node(type, values, ['float32', shape]);
    const positive = on('Relu', [logits]);
    const agreeing = on('Mul', [logits, targets]);
    const remainder = on('Softplus', [on('Neg', [on('Abs', [logits])])]);
    const losses = on('Add', [on('Sub', [positive, agreeing]), remainder]);
    const share = shareOf(builder, logits, weights);
    const weighted = on('Mul', [losses, share]);
    const output = builder.node('ReduceSum', [weighted], ['float32', []], { keepdims: 0 });
    return { output, saved: [share] };
  },

  backward(builder, { inputs, saved }, outputGradient) {
    const [logits, targets] = inputs as [Value, Value];
    const on = (type: string, values: readonly Value[]): Value =>
      builder.node(type, values, ['float32', logits.shape]);
    const difference = on('Sub', [on('Sigmoid', [logits]), targets]);
    const scaled = on('Mul', [difference, saved[0]!]);
    return [on('Mul', [scaled, outputGradient]), null, null];
  },
};

/** `[N, 1]`: what one label of each frame counts. */
function shareOf(builder: GraphBuilder, logits: Value, weights: Value): Value {
  const [batch, labels] = logits.shape;
  const share = builder.scalar(1 / Number(labels));
  const shares = builder.node('Mul', [weights, share], ['float32', weights.shape]);
  return builder.node('Unsqueeze', [shares, builder.integers(1)], ['float32', [batch!, 1]]);
}
